using System.Text.Json.Serialization;

namespace Drella.Drivers.Forges.GitHub.Wire;

internal sealed record WireUser(long? Id, string? Login, string? Type);

internal sealed record WireApp(string? Slug);

internal sealed record WireRepository(long? Id, string? FullName, string? DefaultBranch, bool? Private, string? HtmlUrl);

internal sealed record WirePermission(string? Permission, string? RoleName);

internal sealed record WireInstallation(long? Id);

internal sealed record WireTokenRequest(string[]? Repositories);

internal sealed record WireToken(string? Token);

internal sealed record WireRef(string? Ref, WireObject? Object);

internal sealed record WireObject(string? Sha, string? Type);

internal sealed record WireTree(string? Sha, bool? Truncated, WireTreeItem?[]? Tree);

internal sealed record WireTreeItem(string? Path, string? Mode, string? Type, string? Sha, long? Size);

internal sealed record WireBlob(string? Content, string? Encoding, long? Size);

internal sealed record WireGitCommit(string? Sha, WireObject? Tree);

internal sealed record WireCommit(string? Sha, WireCommitDetail? Commit, WireUser? Author);

internal sealed record WireCommitDetail(WireSignature? Author, WireSignature? Committer);

internal sealed record WireSignature(string? Name, string? Email, DateTimeOffset? Date);

internal sealed record WireNewTree(string BaseTree, WireNewTreeItem[] Tree);

/// <summary>A change of a tree; a null id removes the path, so it is always written.</summary>
internal sealed record WireNewTreeItem(
    string Path, string Mode, string Type, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Sha);

internal sealed record WireNewCommit(string Message, string Tree, string[] Parents);

internal sealed record WireMoveRef(string Sha, bool Force);

internal sealed record WireHook(long? Id, bool? Active, string?[]? Events, WireHookConfig? Config);

internal sealed record WireHookConfig(string? Url, string? ContentType, string? InsecureSsl, string? Secret);

internal sealed record WireNewHook(string Name, bool Active, string[] Events, WireHookConfig Config);

internal sealed record WireHookChange(bool Active, string[] Events, WireHookConfig Config);
