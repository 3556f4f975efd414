namespace Drella.Core.Forges;

/// <summary>
/// A change that a forge told us of by webhook, proven to come from it. Keys only: the poll refetches what they name, since the content of a
/// delivery may be old, repeated or out of order.
/// </summary>
/// <param name="DeliveryId">The same when the forge delivers again; drop repeats only after success.</param>
/// <param name="Kind">What to look at again.</param>
/// <param name="Repo">The repository; null for events of an account or an installation.</param>
/// <param name="Number">The issue or pull request, where the event names one.</param>
public sealed record ForgeEvent(string DeliveryId, ForgeEventKind Kind, RepoName? Repo, int? Number);

public enum ForgeEventKind
{
    /// <summary>Nothing we act on.</summary>
    Other,

    /// <summary>The forge tries whether we answer.</summary>
    Ping,

    /// <summary>A branch moved.</summary>
    Push,

    /// <summary>An issue or its comments changed.</summary>
    Issue,

    /// <summary>A pull request, its comments, reviews or threads changed.</summary>
    PullRequest,

    /// <summary>A check or status changed.</summary>
    Checks,
}
