namespace Gjoll.Hosts;

internal static class Modes
{
    public const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Others may go through but not look.</summary>
    public const UnixFileMode Passage = Owner | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    public const UnixFileMode FolderForAll = Passage | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    public const UnixFileMode FileForAll = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
}
