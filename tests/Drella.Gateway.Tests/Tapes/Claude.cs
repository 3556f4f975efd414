using Drella.Testing;
using System.Diagnostics;

namespace Drella.Gateway.Tests.Tapes;

/// <summary>The real Claude Code, started bare in folders of its own.</summary>
internal sealed class Claude : IDisposable
{
    private readonly DirectoryInfo home = Directory.CreateTempSubdirectory("drella-tape-");

    public string Workspace => Directory.CreateDirectory(Path.Combine(home.FullName, "ws")).FullName;

    public void Dispose() => home.Delete(recursive: true);

    public Process Start(Uri model, string prompt, string session, bool resume)
    {
        var start = new ProcessStartInfo(ClaudeProgram.Path)
        {
            WorkingDirectory = Workspace,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        string[] arguments =
        [
            "-p", prompt, "--output-format", "stream-json", "--verbose", "--dangerously-skip-permissions", "--setting-sources", "", "--strict-mcp-config",
            resume ? "--resume" : "--session-id", session, "--model", "claude-sonnet-4-5", "--tools", "Bash,Edit,Write,Read", "--disable-slash-commands",
        ];
        Array.ForEach(arguments, start.ArgumentList.Add);
        start.Environment.Clear();
        foreach (var (name, value) in new Dictionary<string, string>
        {
            ["HOME"] = home.FullName,
            ["PATH"] = "/usr/local/bin:/usr/bin:/bin",
            ["ANTHROPIC_BASE_URL"] = model.AbsoluteUri.TrimEnd('/'),
            ["ANTHROPIC_AUTH_TOKEN"] = "a-token-that-is-long-enough",
            ["CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"] = "1",
            ["DISABLE_AUTOUPDATER"] = "1",
            ["IS_SANDBOX"] = "1",
            ["CLAUDE_CODE_DISABLE_BACKGROUND_TASKS"] = "1",
            ["CLAUDE_CODE_TMPDIR"] = home.FullName,
        })
        {
            start.Environment[name] = value;
        }

        var process = Process.Start(start)!;
        process.StandardInput.Close();
        return process;
    }

    public async Task TranscriptHoldsAsync(string text, CancellationToken cancellationToken)
    {
        var changed = System.Threading.Channels.Channel.CreateUnbounded<bool>();
        using var watcher = new FileSystemWatcher(home.FullName, "*.jsonl") { IncludeSubdirectories = true, EnableRaisingEvents = true };
        watcher.Changed += (_, _) => changed.Writer.TryWrite(true);
        while (!home.EnumerateFiles("*.jsonl", SearchOption.AllDirectories).Any(file => Read(file).Contains(text, StringComparison.Ordinal)))
        {
            await changed.Reader.ReadAsync(cancellationToken);
        }

        static string Read(FileInfo file)
        {
            using var reader = new StreamReader(new FileStream(file.FullName, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
            return reader.ReadToEnd();
        }
    }

    public static async Task<string> FinishAsync(Process process)
    {
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return output + await errors;
    }
}
