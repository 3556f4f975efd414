namespace Drella.Forge.Storage;

internal sealed record UserRow
{
    public long Id { get; init; }
    public required string Login { get; init; }
    public string? Name { get; init; }
    public string? Email { get; init; }
    public required string Kind { get; init; }
    public bool IsAdmin { get; init; }
    public long CreatedAt { get; init; }

    /// <summary>What commits made on this user's behalf carry.</summary>
    public string CommitEmail => Email ?? $"{Id}+{Login}@users.noreply.localhost";
}

internal sealed record RepoRow
{
    public long Id { get; init; }
    public long OwnerId { get; init; }
    public required string Owner { get; init; }
    public required string Name { get; init; }
    public required string DefaultBranch { get; init; }
    public bool IsPrivate { get; init; }
    public string? Description { get; init; }
    public bool DeleteBranchOnMerge { get; init; }
    public long CreatedAt { get; init; }
    public long UpdatedAt { get; init; }
    public long PushedAt { get; init; }

    public string FullName => $"{Owner}/{Name}";
}

internal sealed record ProtectionRow
{
    public required string Branch { get; init; }
    public ForgeRole PushRole { get; init; }
    public bool AllowForce { get; init; }
    public bool AllowDelete { get; init; }
    public int RequiredApprovals { get; init; }
}

internal sealed record IssueRow
{
    public long Id { get; init; }
    public long RepoId { get; init; }
    public int Number { get; init; }
    public bool IsPull { get; init; }
    public required string Title { get; init; }
    public string? Body { get; init; }
    public long AuthorId { get; init; }
    public required string State { get; init; }
    public string? StateReason { get; init; }
    public long? ClosedById { get; init; }
    public long? ClosedAt { get; init; }
    public long CreatedAt { get; init; }
    public long UpdatedAt { get; init; }

    public bool IsOpen => State == "open";
}

/// <summary>A pull request with the issue it is.</summary>
internal sealed record PullRow
{
    public long Id { get; init; }
    public long IssueId { get; init; }
    public long RepoId { get; init; }
    public int Number { get; init; }
    public required string Title { get; init; }
    public string? Body { get; init; }
    public long AuthorId { get; init; }
    public required string State { get; init; }
    public long? ClosedAt { get; init; }
    public long CreatedAt { get; init; }
    public long UpdatedAt { get; init; }
    public required string BaseRef { get; init; }
    public required string BaseSha { get; init; }
    public required string HeadRef { get; init; }
    public required string HeadSha { get; init; }
    public bool IsDraft { get; init; }
    public bool MaintainerCanModify { get; init; }
    public long? MergedAt { get; init; }
    public long? MergedById { get; init; }
    public string? MergeSha { get; init; }
    public string? PendingSha { get; init; }
    public long? PendingById { get; init; }
    public bool? Mergeable { get; init; }
    public string? MergeableKey { get; init; }

    public bool IsOpen => State == "open";
}

internal sealed record LabelRow
{
    public long Id { get; init; }
    public required string Name { get; init; }
    public required string Color { get; init; }
    public string? Description { get; init; }
}

internal sealed record CommentRow
{
    public long Id { get; init; }
    public long IssueId { get; init; }
    public int Number { get; init; }
    public bool IsPull { get; init; }
    public long AuthorId { get; init; }
    public required string Body { get; init; }
    public long CreatedAt { get; init; }
    public long UpdatedAt { get; init; }
}

internal sealed record TimelineRow
{
    public long Id { get; init; }
    public required string Kind { get; init; }
    public long ActorId { get; init; }
    public string? CommitSha { get; init; }
    public string? Detail { get; init; }
    public long CreatedAt { get; init; }
}

internal sealed record ReviewRow
{
    public long Id { get; init; }
    public long PullId { get; init; }
    public long AuthorId { get; init; }
    public required string State { get; init; }
    public required string Body { get; init; }
    public required string CommitSha { get; init; }
    public long? SubmittedAt { get; init; }
}

internal sealed record ThreadRow
{
    public long Id { get; init; }
    public long PullId { get; init; }
    public required string Path { get; init; }
    public required string SubjectType { get; init; }
    public required string Side { get; init; }
    public int? Line { get; init; }
    public string? StartSide { get; init; }
    public int? StartLine { get; init; }
    public int? Position { get; init; }
    public int? OriginalLine { get; init; }
    public int? OriginalStartLine { get; init; }
    public int OriginalPosition { get; init; }
    public required string CommitSha { get; init; }
    public required string OriginalSha { get; init; }
    public required string DiffHunk { get; init; }
    public bool IsResolved { get; init; }
    public long? ResolvedById { get; init; }
    public bool IsOutdated { get; init; }
}

internal sealed record ReviewCommentRow
{
    public long Id { get; init; }
    public long ThreadId { get; init; }
    public long PullId { get; init; }
    public long ReviewId { get; init; }
    public long AuthorId { get; init; }
    public required string Body { get; init; }
    public long? InReplyTo { get; init; }
    public long CreatedAt { get; init; }
    public long UpdatedAt { get; init; }
}

internal sealed record ReactionRow
{
    public long Id { get; init; }
    public long UserId { get; init; }
    public required string Content { get; init; }
    public long CreatedAt { get; init; }
}

internal sealed record StatusRow
{
    public long Id { get; init; }
    public required string Sha { get; init; }
    public required string State { get; init; }
    public string? TargetUrl { get; init; }
    public string? Description { get; init; }
    public required string Context { get; init; }
    public long CreatorId { get; init; }
    public long CreatedAt { get; init; }
}

internal sealed record CheckRunRow
{
    public long Id { get; init; }
    public required string HeadSha { get; init; }
    public required string Name { get; init; }
    public required string Status { get; init; }
    public string? Conclusion { get; init; }
    public string? DetailsUrl { get; init; }
    public string? ExternalId { get; init; }
    public long? StartedAt { get; init; }
    public long? CompletedAt { get; init; }
    public string? Title { get; init; }
    public string? Summary { get; init; }
    public string? Text { get; init; }
    public required string Annotations { get; init; }
    public long CreatorId { get; init; }
    public long CreatedAt { get; init; }
}

internal sealed record HookRow
{
    public long Id { get; init; }
    public long RepoId { get; init; }
    public required string Url { get; init; }
    public string? Secret { get; init; }
    public required string Events { get; init; }
    public bool IsActive { get; init; }
    public long CreatedAt { get; init; }
    public long UpdatedAt { get; init; }
}

internal sealed record DeliveryRow
{
    public long Id { get; init; }
    public long HookId { get; init; }
    public required string Guid { get; init; }
    public required string Event { get; init; }
    public string? Action { get; init; }
    public required string Payload { get; init; }
    public bool IsRedelivery { get; init; }
    public long CreatedAt { get; init; }
    public long? DeliveredAt { get; init; }
    public string? Status { get; init; }
    public int? StatusCode { get; init; }
    public long? DurationMs { get; init; }
    public string? RequestHeaders { get; init; }
    public string? ResponseHeaders { get; init; }
    public string? ResponseBody { get; init; }
}
