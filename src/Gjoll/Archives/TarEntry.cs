namespace Gjoll.Archives;

internal enum TarEntryKind
{
    File,
    Folder,
    SymbolicLink,
    HardLink,
}

/// <param name="Name">As the archive says it: nothing about it was checked.</param>
/// <param name="LinkTo">Of links.</param>
/// <param name="Mode">The twelve permission bits.</param>
internal sealed record TarEntry(TarEntryKind Kind, string Name, string LinkTo, long Size, int Mode);
