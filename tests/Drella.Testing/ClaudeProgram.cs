namespace Drella.Testing;

/// <summary>The pinned Claude Code that <c>scripts/prerequisites</c> installs, found from the test's folder upwards.</summary>
public static class ClaudeProgram
{
    private const string Inside = "node_modules/@anthropic-ai/claude-code-linux-x64/claude";

    /// <summary>Path of the program; fails the test with the remedy when it is not there.</summary>
    public static string Path
    {
        get
        {
            if (Environment.GetEnvironmentVariable("DRELLA_CLAUDE") is { Length: > 0 } given)
            {
                return given;
            }

            for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
            {
                var folder = System.IO.Path.Combine(at.FullName, ".agent", "claude-code");
                if (Directory.Exists(folder)
                    && Directory.EnumerateDirectories(folder).Select(version => System.IO.Path.Combine(version, Inside)).FirstOrDefault(File.Exists) is { } found)
                {
                    return found;
                }
            }

            throw new InvalidOperationException("Claude Code is not here: run 'scripts/prerequisites tests', or set DRELLA_CLAUDE to the program.");
        }
    }
}
