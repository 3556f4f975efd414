namespace Drella.Drivers.Git;

/// <summary>Unix permissions, which the stores depend on; elsewhere there is no quarantine.</summary>
internal static class PrivateFolder
{
    private const UnixFileMode Own = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    public static string Make(string path) =>
        OperatingSystem.IsWindows() ? throw NoUnix() : Directory.CreateDirectory(path, Own).FullName;

    public static void SetMode(string path, UnixFileMode mode)
    {
        if (OperatingSystem.IsWindows())
        {
            throw NoUnix();
        }

        File.SetUnixFileMode(path, mode);
    }

    private static PlatformNotSupportedException NoUnix() => new("the quarantine needs Unix permissions");
}
