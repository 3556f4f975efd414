namespace Drella.Core.Forges;

/// <summary>
/// Owner and name of a repository on one forge, in the case the user wrote; compared without regard to ASCII case.
/// Both parts: 1 to 100 of letters, digits, <c>.</c>, <c>_</c>, <c>-</c>, not beginning with <c>.</c> or <c>-</c>, the name not ending in <c>.git</c>.
/// </summary>
public readonly record struct RepoName
{
    private RepoName(string owner, string name)
    {
        Owner = owner;
        Name = name;
    }

    public string Owner { get; }

    public string Name { get; }

    public static bool TryParse(string? text, out RepoName repo)
    {
        repo = default;
        var parts = text?.Split('/');
        if (parts is not { Length: 2 } || !IsPart(parts[0]) || !IsPart(parts[1]) || parts[1].EndsWith(".git", StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        repo = new RepoName(parts[0], parts[1]);
        return true;
    }

    /// <summary>Parses, or throws <see cref="FormatException"/>.</summary>
    public static RepoName Parse(string text) =>
        TryParse(text, out var repo) ? repo : throw new FormatException($"'{text}' is not owner/name");

    public bool Equals(RepoName other) =>
        string.Equals(Owner, other.Owner, StringComparison.OrdinalIgnoreCase) && string.Equals(Name, other.Name, StringComparison.OrdinalIgnoreCase);

    public override int GetHashCode() => HashCode.Combine(
        StringComparer.OrdinalIgnoreCase.GetHashCode(Owner ?? ""), StringComparer.OrdinalIgnoreCase.GetHashCode(Name ?? ""));

    public override string ToString() => $"{Owner}/{Name}";

    private static bool IsPart(string part) =>
        part.Length is > 0 and <= 100
        && part[0] is not ('.' or '-')
        && part.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');
}

/// <summary>Who did something. <see cref="Id"/> is the forge's stable id and is what own actions are told by.</summary>
public sealed record Actor(string Id, string Login, bool IsBot);

/// <summary>Rising rights in a repository.</summary>
public enum Permission
{
    None,
    Read,
    Triage,
    Write,
    Maintain,
    Admin,
}

/// <summary>How Git reaches a repository: plain URL, and the user and secret for it. Never leaves the host.</summary>
public sealed record GitAccess(string Url, string User, string Secret)
{
    public override string ToString() => Url;
}

public sealed record Repo(RepoName Name, string DefaultBranch, bool IsPrivate, string WebUrl);

/// <summary>One entry of a folder in a Git tree. <see cref="Mode"/> is Git's, such as <c>100644</c>, <c>120000</c>, <c>160000</c>, <c>040000</c>.</summary>
public sealed record TreeItem(string Name, string Mode, string ObjectId, long? Size);

public sealed record CommitInfo(string ObjectId, string? AuthorLogin, string AuthorName, string AuthorEmail, DateTimeOffset At);

/// <summary>
/// Identifies one outside effect: made from job and step, the same at every try. Text: letters, digits, <c>/</c>, <c>-</c>, <c>.</c>, <c>_</c>.
/// </summary>
public readonly record struct EffectKey(string Value)
{
    public override string ToString() => Value;
}

public enum PullRequestState
{
    Draft,
    Open,
    Merged,
    Closed,
}

public enum Mergeability
{
    Unknown,
    Clean,
    Conflicts,
    Blocked,
}

/// <summary>A pull request as last seen.</summary>
public sealed record PullRequest(
    int Number, string Url, string Title, string Body, Actor Author, PullRequestState State,
    string BaseBranch, string HeadBranch, string HeadCommit, Mergeability Mergeability, string? MergeCommit, Actor? MergedBy);

public sealed record NewPullRequest(string Title, string Body, string BaseBranch, string HeadBranch, bool Draft, EffectKey Key);

public enum RemarkKind
{
    /// <summary>A comment in the conversation of an issue or pull request.</summary>
    Comment,

    /// <summary>A comment on a line of the diff, alone or in a review.</summary>
    Inline,

    /// <summary>A submitted review: its verdict and, if any, its body.</summary>
    Review,
}

public enum ReviewVerdict
{
    Comment,
    Approve,
    RequestChanges,
    Dismissed,
}

/// <summary>Something a person (or we) said. Ids are unique per kind only: key on kind and id.</summary>
public sealed record Remark(RemarkKind Kind, string Id, Actor Author, string Body, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, string Url)
{
    /// <summary>Verdict of a review; null for the other kinds.</summary>
    public ReviewVerdict? Verdict { get; init; }

    /// <summary>Where an inline comment stands; null for the other kinds.</summary>
    public InlinePlace? Place { get; init; }
}

/// <summary>The place of an inline comment.</summary>
/// <param name="ThreadId">Names the thread for answers and resolving: the id of its top comment.</param>
/// <param name="Path">File, relative to the repository.</param>
/// <param name="Line">Line in the file after the change, from 1; null when the line is gone.</param>
/// <param name="Hunk">The piece of the diff it was written under.</param>
/// <param name="Commit">The commit it was written on.</param>
/// <param name="IsResolved">State of the thread.</param>
public sealed record InlinePlace(string ThreadId, string Path, int? Line, string Hunk, string Commit, bool IsResolved);

public sealed record NewReview(ReviewVerdict Verdict, string Body, string Commit, IReadOnlyList<NewInlineComment> Comments);

public sealed record NewInlineComment(string Path, int Line, string Body);

public sealed record Issue(int Number, string NodeId, string Url, string Title, string Body, Actor Author, bool IsOpen, IReadOnlyList<string> Labels, DateTimeOffset UpdatedAt);

public enum Reaction
{
    Eyes,
    Rocket,
    Confused,
    ThumbsUp,
    Hooray,
}

/// <summary>What a reaction is put on. <see cref="Id"/> is the issue or pull request number, or the comment's id.</summary>
public sealed record ReactionTarget(ReactionTargetKind Kind, string Id);

public enum ReactionTargetKind
{
    Issue,
    Comment,
    Inline,
}

public enum CheckOutcome
{
    Pending,
    Passed,
    Failed,
}

public sealed record CheckState(string Name, CheckOutcome Outcome, string? Url, string? Summary);

public sealed record StatusReport(string Context, CheckOutcome Outcome, string Description, string? TargetUrl);
