namespace Gjoll;

/// <summary>Where sandboxes, images and the rest of <c>gjoll</c> lie when nothing else is said.</summary>
public static class GjollHome
{
    /// <summary>GJOLL_HOME, else <c>gjoll</c> in XDG_DATA_HOME or <c>~/.local/share</c>.</summary>
    public static string Folder()
    {
        if (Environment.GetEnvironmentVariable("GJOLL_HOME") is { Length: > 0 } home)
        {
            return Path.GetFullPath(home);
        }

        // As the standard says, a relative XDG_DATA_HOME is ignored.
        var data = Environment.GetEnvironmentVariable("XDG_DATA_HOME") is { Length: > 0 } named && Path.IsPathFullyQualified(named)
            ? named
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "share");
        return Path.Combine(data, "gjoll");
    }
}
