using System.Text.RegularExpressions;
using Drella.Core.Forges;
using Drella.Core.Jobs;

namespace Drella.Core.Reviews;

/// <summary>Turns what people said on a pull request into rows of the job's inbox. Pure.</summary>
public static class ReviewIntake
{
    private const int MaxBody = 20_000;
    private const int MaxHunk = 4_000;

    /// <summary>The key of a remark: kind and id, because ids are unique per kind only.</summary>
    public static string KeyOf(Remark remark) => $"{remark.Kind}:{remark.Id}".ToLowerInvariant();

    /// <summary>
    /// The rows for remarks that the job has not seen, from people who may command it. Ours, those of bots and those of others are left out.
    /// </summary>
    /// <param name="job">The job.</param>
    /// <param name="remarks">Everything that was said.</param>
    /// <param name="self">Our own account.</param>
    /// <param name="mayCommand">Logins that may write to the repository.</param>
    /// <param name="requireMention">Only remarks (or reviews) that mention us ask for work.</param>
    public static IReadOnlyList<FeedbackRow> Rows(
        Job job, IReadOnlyList<Remark> remarks, Actor self, IReadOnlySet<string> mayCommand, bool requireMention) =>
    [
        .. remarks
            .Where(remark => remark.Author.Id != self.Id && !remark.Author.IsBot && mayCommand.Contains(remark.Author.Login))
            .Where(remark => remark.Place is not { IsResolved: true } && !job.Feedback.ContainsKey(KeyOf(remark)))
            .OrderBy(remark => remark.CreatedAt).ThenBy(remark => remark.Kind).ThenBy(remark => remark.Id, StringComparer.Ordinal)
            .Select(remark => Row(remark, !requireMention || Mentions(remark.Body, self.Login))),
    ];

    /// <summary>The logins whose rights have to be asked before <see cref="Rows"/>.</summary>
    public static IReadOnlyList<string> Unknown(Job job, IReadOnlyList<Remark> remarks, Actor self) =>
        [.. remarks.Where(remark => remark.Author.Id != self.Id && !job.Feedback.ContainsKey(KeyOf(remark))).Select(remark => remark.Author.Login).Distinct()];

    /// <summary>True when the text names the login as a whole word after an at sign.</summary>
    public static bool Mentions(string text, string login) =>
        Regex.IsMatch(text, $"(?<![A-Za-z0-9_@-])@{Regex.Escape(login)}(?![A-Za-z0-9_-])", RegexOptions.IgnoreCase);

    /// <summary>What was said, without what cannot be seen, and no longer than it must be.</summary>
    public static string BodyOf(Remark remark) => Cut(PullRequests.PullRequestText.Clean(remark.Body), MaxBody);

    private static FeedbackRow Row(Remark remark, bool isAddressed) => new()
    {
        Key = KeyOf(remark),
        Kind = remark.Kind,
        Id = remark.Id,
        Author = remark.Author.Login,
        Body = BodyOf(remark),
        Verdict = remark.Verdict,
        ThreadId = remark.Place?.ThreadId,
        Path = remark.Place?.Path,
        Line = remark.Place?.Line,
        Hunk = remark.Place is { } place ? Cut(place.Hunk, MaxHunk) : null,
        NeedsWork = isAddressed && remark switch
        {
            { Kind: RemarkKind.Review, Verdict: ReviewVerdict.Approve or ReviewVerdict.Dismissed } => false,
            { Kind: RemarkKind.Review, Verdict: ReviewVerdict.Comment } => !string.IsNullOrWhiteSpace(remark.Body),
            { Kind: RemarkKind.Review } => true,
            _ => !string.IsNullOrWhiteSpace(remark.Body),
        },
    };

    private static string Cut(string text, int length) => text.Length <= length ? text : text[..length] + "…";
}
