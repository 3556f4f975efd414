namespace Drella.Forge.Git;

internal sealed record GitSignature(string Name, string Email, string When);

internal sealed record GitCommit
{
    public required string Sha { get; init; }
    public required string Tree { get; init; }
    public required IReadOnlyList<string> Parents { get; init; }
    public required GitSignature Author { get; init; }
    public required GitSignature Committer { get; init; }
    public required string Message { get; init; }
}

internal sealed record TreeEntry(string Mode, string Type, string Sha, long? Size, string Path);

/// <summary>One changed file. <see cref="Patch"/> starts at the first hunk and is null for binary files and when it was not asked for.</summary>
internal sealed record DiffFile
{
    public required string Path { get; init; }
    public string? PreviousPath { get; init; }
    public required string Status { get; init; }
    public required string Sha { get; init; }
    public int Additions { get; init; }
    public int Deletions { get; init; }
    public string? Patch { get; init; }
}

/// <summary>The tree of a merge; <see cref="Conflicts"/> is empty when it is clean.</summary>
internal sealed record MergeTree(string Tree, IReadOnlyList<string> Conflicts)
{
    public bool IsClean => Conflicts.Count == 0;
}

internal sealed record LogQuery
{
    public required IReadOnlyList<string> Range { get; init; }
    public int Skip { get; init; }
    public int Limit { get; init; } = 30;
    public string? Path { get; init; }
    public string? Since { get; init; }
    public string? Until { get; init; }
    public string? Author { get; init; }
    public bool OldestFirst { get; init; }
}
