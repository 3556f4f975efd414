using System.Text.Json;

namespace Drella.Drivers.Forges.GitHub.Wire;

internal sealed record WireIssue(
    int? Number, string? NodeId, string? HtmlUrl, string? Title, string? Body, WireUser? User, string? State, WireLabel?[]? Labels,
    DateTimeOffset? UpdatedAt, JsonElement? PullRequest);

internal sealed record WireLabel(string? Name);

internal sealed record WireIssueChange(string State, string StateReason);

internal sealed record WireNewIssue(string Title, string Body);

internal sealed record WireComment(
    long? Id, WireUser? User, string? Body, DateTimeOffset? CreatedAt, DateTimeOffset? UpdatedAt, string? HtmlUrl);

internal sealed record WireBody(string Body);

internal sealed record WireInlineComment(
    long? Id, string? NodeId, long? PullRequestReviewId, long? InReplyToId, WireUser? User, string? Body, DateTimeOffset? CreatedAt, DateTimeOffset? UpdatedAt,
    string? HtmlUrl, string? Path, int? Line, string? DiffHunk, string? CommitId, string? OriginalCommitId);

internal sealed record WireNewReply(string Body, string CommitId, string Path, long InReplyTo);

internal sealed record WireReview(
    long? Id, WireUser? User, string? Body, string? State, DateTimeOffset? SubmittedAt, string? HtmlUrl, string? CommitId);

internal sealed record WireNewReview(string CommitId, string Body, string Event, WireNewInline[]? Comments);

internal sealed record WireNewInline(string Path, int Line, string Side, string Body);

internal sealed record WireReaction(string Content);
