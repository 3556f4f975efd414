using System.Text.RegularExpressions;
using Dapper;
using Drella.Forge.Rendering;
using Drella.Forge.Storage;
using Drella.Forge.Webhooks;
using Microsoft.Data.Sqlite;

namespace Drella.Forge.Issues;

/// <summary>"Fixes #3" and its kin: closes the named issues, here or where the actor may write.</summary>
internal sealed partial class ClosingWords(Events events, TimeProvider time)
{
    private const int MaxReferences = 50;

    public static IReadOnlyList<(string? FullName, int Number)> Find(string? text) => text is null
        ? []
        : [.. Reference().Matches(text).Take(MaxReferences)
            .Where(m => int.TryParse(m.Groups[2].Value, out _))
            .Select(m => (m.Groups[1].Success ? m.Groups[1].Value : null, int.Parse(m.Groups[2].Value, System.Globalization.CultureInfo.InvariantCulture))).Distinct()];

    public void Apply(SqliteConnection db, RepoRow repo, UserRow actor, string? text, string? commitSha)
    {
        foreach (var (fullName, number) in Find(text))
        {
            var target = fullName is null ? repo : db.FindRepo(fullName.Split('/')[0], fullName.Split('/')[1]);
            if (target is not null && db.RoleOf(target, actor) >= ForgeRole.Write && db.FindIssue(target.Id, number) is { IsOpen: true, IsPull: false } issue)
            {
                Close(db, target, issue, actor, "completed", commitSha);
            }
        }
    }

    public void Close(SqliteConnection db, RepoRow repo, IssueRow issue, UserRow actor, string reason, string? commitSha)
    {
        db.Execute(
            "UPDATE Issues SET State = 'closed', StateReason = @reason, ClosedAt = @now, ClosedById = @by, UpdatedAt = @now WHERE Id = @Id",
            new { issue.Id, reason, now = time.Now(), by = actor.Id });
        db.AddTimeline(issue.Id, "closed", actor.Id, time.Now(), reason, commitSha);
        events.Emit(db, repo, "issues", "closed", actor, (r, json) => json["issue"] = r.Issue(repo, db.Issue(issue.Id)));
    }

    [GeneratedRegex(@"(?<![\w])(?:close[sd]?|fix(?:es|ed)?|resolve[sd]?):?\s+(?:([A-Za-z0-9-]+/[A-Za-z0-9_.-]+))?#(\d{1,9})(?!\w)", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase, 1000)]
    private static partial Regex Reference();
}
