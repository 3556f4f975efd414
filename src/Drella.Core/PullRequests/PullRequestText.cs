using System.Globalization;
using System.Text;
using Drella.Core.Jobs;

namespace Drella.Core.PullRequests;

/// <summary>
/// What a pull request says of itself: the agent's words, marked as such, and below them what the host knows. Pure.
/// </summary>
public static class PullRequestText
{
    private const int MaxBody = 60_000;

    public static string Title(Job job) => Clean(job.Proposal?.Title is { Length: > 0 } title ? title : job.Request.Title).ReplaceLineEndings(" ").Trim();

    public static string Body(Job job, FactorySettings settings)
    {
        var text = new StringBuilder();
        var proposal = job.Proposal?.Body is { Length: > 0 } body ? Clean(body) : "The agent gave no description of its own.";
        text.Append(Cut(proposal, MaxBody - 20_000)).Append("\n\n---\n\n");
        AppendRequirements(text, job);
        AppendVerdicts(text, job);
        text.Append("### What was not verified\n\n").Append(NotVerified(job)).Append('\n');
        AppendOrigin(text, job, settings);
        return Cut(text.ToString(), MaxBody);
    }

    /// <summary>Takes out what renders differently from how it reads: control characters, bidirectional controls, invisible tags, hidden comments.</summary>
    public static string Clean(string text)
    {
        var kept = new StringBuilder(text.Length);
        foreach (var rune in text.ReplaceLineEndings("\n").EnumerateRunes())
        {
            var isHidden = rune.Value is (>= 0x200B and <= 0x200F) or (>= 0x202A and <= 0x202E) or (>= 0x2060 and <= 0x206F) or 0xFEFF or (>= 0xE0000 and <= 0xE007F);
            if (!isHidden && (rune.Value is '\n' or '\t' || !Rune.IsControl(rune)))
            {
                kept.Append(rune.ToString());
            }
        }

        return kept.ToString().Replace("<!--", "&lt;!--", StringComparison.Ordinal);
    }

    private static void AppendRequirements(StringBuilder text, Job job)
    {
        if (job.Request.AcceptanceCriteria.Count == 0)
        {
            return;
        }

        text.Append("### Requirements\n\n| # | Requirement | The agent's claim | Evidence it gives |\n|---|---|---|---|\n");
        for (var i = 0; i < job.Request.AcceptanceCriteria.Count; i++)
        {
            var number = (i + 1).ToString(CultureInfo.InvariantCulture);
            var claim = job.Proposal?.Requirements.FirstOrDefault(item => item.Id == number);
            text.Append(CultureInfo.InvariantCulture, $"| {number} | {Cell(job.Request.AcceptanceCriteria[i])} | {Cell(claim?.Status ?? "no word")} | {Cell(claim?.Evidence ?? "")} |\n");
        }

        text.Append('\n');
    }

    private static void AppendVerdicts(StringBuilder text, Job job)
    {
        if (job.Request.Pipeline.Count < 2)
        {
            return;
        }

        text.Append("### Verdicts\n\n");
        foreach (var role in job.Request.Pipeline.Skip(1))
        {
            var verdict = job.Verdicts.FirstOrDefault(given => given.Role == role.Name);
            var word = verdict is null ? "not given yet" : verdict.Passed ? "pass" : "fail";
            text.Append(CultureInfo.InvariantCulture, $"- **{role.Name}**: {word}{(verdict is null ? "" : ": " + Cell(verdict.Summary))}\n");
        }

        text.Append('\n');
    }

    private static string NotVerified(Job job) => job.Request.Pipeline.Count > 1
        ? "The table above is what the agent says. The verdicts come from other agents that saw the diff; the host did not run the tests itself.\n"
        : "The table above is what the agent says. No second role looked at it, and the host did not run the tests itself.\n";

    private static void AppendOrigin(StringBuilder text, Job job, FactorySettings settings)
    {
        var source = job.Request.Source;
        var name = source.Kind == SourceKind.Issue ? $"{source.Repo}#{source.Name}" : $"spec {source.Name} in {source.Repo}";
        text.Append(CultureInfo.InvariantCulture, $"\n<sub>Made by drellabot for {(source.Url is null ? name : $"[{name}]({source.Url})")}, asked for by {source.Author}. Job `{job.Id}`");
        text.Append(settings.DashboardUrl is { } url ? $" ([transcript]({url}/jobs/{job.Id}))" : "");
        text.Append(CultureInfo.InvariantCulture, $", {Money(job.Spent)} of {Money(job.BudgetLimit)} spent, {job.Round} {(job.Round == 1 ? "round" : "rounds")}.</sub>\n");
    }

    /// <summary>Money as people write it.</summary>
    public static string Money(long millionths) => (millionths / 1_000_000m).ToString("$0.00##", CultureInfo.InvariantCulture);

    private static string Cell(string text) => Clean(text).ReplaceLineEndings(" ").Replace("|", "\\|", StringComparison.Ordinal);

    private static string Cut(string text, int length) => text.Length <= length ? text : text[..length] + "\n\n(cut)";
}
