namespace Drella.Drivers.Forges.GitHub.Wire;

internal sealed record WirePull(
    int? Number, string? NodeId, string? HtmlUrl, string? Title, string? Body, WireUser? User, string? State, bool? Draft, bool? Merged,
    DateTimeOffset? MergedAt, bool? Mergeable, string? MergeableState, string? MergeCommitSha, WireUser? MergedBy, WireEnd? Head, WireEnd? Base);

internal sealed record WireEnd(string? Ref, string? Sha, WireRepository? Repo);

internal sealed record WireNewPull(string Title, string Body, string Head, string Base, bool Draft);

internal sealed record WirePullChange(string? Title, string? Body, string? State);

internal sealed record WireFile(string? Filename, string? Patch);
