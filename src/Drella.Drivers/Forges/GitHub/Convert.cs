using System.Globalization;
using Drella.Core;
using Drella.Core.Forges;
using Drella.Drivers.Forges.GitHub.Wire;

namespace Drella.Drivers.Forges.GitHub;

/// <summary>From wire types to the data of the core. A lack of what GitHub always sends is a <see cref="DriverException"/>.</summary>
internal static class Convert
{
    // What GitHub shows for an account that is gone.
    private static readonly Actor Ghost = new("0", "ghost", IsBot: false);

    public static T Required<T>(T? value, string what)
        where T : class => value ?? throw Lacks(what);

    public static T Required<T>(T? value, string what)
        where T : struct => value ?? throw Lacks(what);

    public static string Id(long? id, string what) => Required(id, what).ToString(CultureInfo.InvariantCulture);

    public static Actor Actor(WireUser? user) =>
        user is { Id: { } id, Login: { } login }
            ? new Actor(id.ToString(CultureInfo.InvariantCulture), login, user.Type == "Bot" || login.EndsWith("[bot]", StringComparison.Ordinal))
            : Ghost;

    public static Permission Permission(WirePermission wire) => (wire.RoleName, wire.Permission) switch
    {
        // A custom role has its own name; then the broader field tells what it amounts to.
        ("admin", _) => Core.Forges.Permission.Admin,
        ("maintain", _) => Core.Forges.Permission.Maintain,
        ("write", _) => Core.Forges.Permission.Write,
        ("triage", _) => Core.Forges.Permission.Triage,
        ("read", _) => Core.Forges.Permission.Read,
        (_, "admin") => Core.Forges.Permission.Admin,
        (_, "write") => Core.Forges.Permission.Write,
        (_, "read") => Core.Forges.Permission.Read,
        _ => Core.Forges.Permission.None,
    };

    public static Repo Repo(RepoName asked, WireRepository wire) => new(
        RepoName.TryParse(wire.FullName, out var name) ? name : asked, Required(wire.DefaultBranch, "default_branch"), wire.Private ?? true,
        wire.HtmlUrl ?? "");

    public static CommitInfo Commit(WireCommit wire)
    {
        var author = wire.Commit?.Author;
        var when = wire.Commit?.Committer?.Date ?? author?.Date;
        return new CommitInfo(
            Required(wire.Sha, "sha"), wire.Author?.Login, author?.Name ?? "", author?.Email ?? "", Required(when, "commit.committer.date"));
    }

    public static PullRequest PullRequest(WirePull wire)
    {
        var isMerged = wire.Merged ?? wire.MergedAt is not null;
        var state = isMerged ? PullRequestState.Merged
            : wire.State == "closed" ? PullRequestState.Closed
            : wire.Draft == true ? PullRequestState.Draft
            : PullRequestState.Open;
        return new PullRequest(
            Required(wire.Number, "number"), wire.HtmlUrl ?? "", wire.Title ?? "", Marker.Strip(wire.Body), Actor(wire.User), state,
            Required(wire.Base?.Ref, "base.ref"), Required(wire.Head?.Ref, "head.ref"), Required(wire.Head?.Sha, "head.sha"), Mergeability(wire),
            isMerged ? wire.MergeCommitSha : null, isMerged && wire.MergedBy is not null ? Actor(wire.MergedBy) : null);
    }

    /// <summary><c>behind</c>, <c>unstable</c> and <c>has_hooks</c> can be merged; <c>blocked</c> and <c>draft</c> wait for a person or a check.</summary>
    public static Mergeability Mergeability(WirePull wire) => (wire.Mergeable, wire.MergeableState) switch
    {
        (false, _) or (_, "dirty") => Core.Forges.Mergeability.Conflicts,
        (null, _) or (_, "unknown") => Core.Forges.Mergeability.Unknown,
        (_, "blocked") => Core.Forges.Mergeability.Blocked,
        _ => Core.Forges.Mergeability.Clean,
    };

    public static Issue Issue(WireIssue wire) => new(
        Required(wire.Number, "number"), wire.NodeId ?? "", wire.HtmlUrl ?? "", wire.Title ?? "", Marker.Strip(wire.Body), Actor(wire.User),
        wire.State == "open", [.. (wire.Labels ?? []).Select(l => l?.Name).OfType<string>()], Required(wire.UpdatedAt, "updated_at"));

    public static Remark Comment(WireComment wire)
    {
        var created = Required(wire.CreatedAt, "created_at");
        return new Remark(
            RemarkKind.Comment, Id(wire.Id, "id"), Actor(wire.User), Marker.Strip(wire.Body), created, wire.UpdatedAt ?? created, wire.HtmlUrl ?? "");
    }

    public static string ThreadId(WireInlineComment wire) => Id(wire.InReplyToId ?? wire.Id, "id");

    public static Remark Inline(WireInlineComment wire, bool isResolved)
    {
        var created = Required(wire.CreatedAt, "created_at");
        return new Remark(
            RemarkKind.Inline, Id(wire.Id, "id"), Actor(wire.User), Marker.Strip(wire.Body), created, wire.UpdatedAt ?? created, wire.HtmlUrl ?? "")
        {
            Place = new InlinePlace(
                ThreadId(wire), Required(wire.Path, "path"), wire.Line, wire.DiffHunk ?? "", wire.OriginalCommitId ?? wire.CommitId ?? "", isResolved),
        };
    }

    /// <summary>Null for a review that its author has not submitted yet.</summary>
    public static Remark? Review(WireReview wire)
    {
        if (wire.State is null or "PENDING")
        {
            return null;
        }

        var at = Required(wire.SubmittedAt, "submitted_at");
        return new Remark(RemarkKind.Review, Id(wire.Id, "id"), Actor(wire.User), Marker.Strip(wire.Body), at, at, wire.HtmlUrl ?? "")
        {
            Verdict = wire.State switch
            {
                "APPROVED" => ReviewVerdict.Approve,
                "CHANGES_REQUESTED" => ReviewVerdict.RequestChanges,
                "DISMISSED" => ReviewVerdict.Dismissed,
                _ => ReviewVerdict.Comment,
            },
        };
    }

    public static CheckState Check(WireCheckRun wire)
    {
        var text = string.Join("\n\n", new[] { wire.Output?.Title, wire.Output?.Summary }.Where(t => !string.IsNullOrWhiteSpace(t)));
        return new CheckState(
            Required(wire.Name, "name"),
            (wire.Status, wire.Conclusion) switch
            {
                ("completed", "success" or "neutral" or "skipped") => CheckOutcome.Passed,
                ("completed", _) => CheckOutcome.Failed,
                _ => CheckOutcome.Pending,
            },
            wire.HtmlUrl, text.Length == 0 ? null : Plain.Cut(text, 4000));
    }

    public static CheckState Status(WireStatus wire) => new(
        Required(wire.Context, "context"),
        wire.State switch
        {
            "success" => CheckOutcome.Passed,
            "pending" => CheckOutcome.Pending,
            _ => CheckOutcome.Failed,
        },
        wire.TargetUrl, string.IsNullOrEmpty(wire.Description) ? null : wire.Description);

    private static DriverException Lacks(string what) => new(isTransient: true, $"the forge's answer lacks {what}");
}
