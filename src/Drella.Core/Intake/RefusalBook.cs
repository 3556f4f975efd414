using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Drella.Core.Forges;
using Drella.Core.Jobs;
using Drella.Core.Journal;
using Drella.Core.PullRequests;
using Drella.Core.Specs;

namespace Drella.Core.Intake;

/// <summary>What was looked at and refused: each revision once, with a comment that says why. A fold of the intake stream.</summary>
internal sealed class RefusalBook(IJournal journal, IForge forge)
{
    // A file can hold tens of thousands of faults; the first ones are enough to begin with, and fit into one entry and one comment.
    private const int MostProblems = 50;
    private const int LongestProblem = 500;

    private readonly Dictionary<string, bool> reported = [];
    private bool isLoaded;

    /// <summary>True when this revision was refused and people were told.</summary>
    public async Task<bool> HasAsync(string key, CancellationToken cancellationToken)
    {
        await LoadAsync(cancellationToken);
        return reported.GetValueOrDefault(key);
    }

    /// <summary>Refuses a revision: journalled first, then said where the order came from.</summary>
    /// <param name="source">What was refused.</param>
    /// <param name="problems">Why; all of it.</param>
    /// <param name="cancellationToken">Leaves it to the next look.</param>
    public async Task RefuseAsync(SourceRef source, IReadOnlyList<Problem> problems, CancellationToken cancellationToken)
    {
        await LoadAsync(cancellationToken);
        var key = KeyOf(source);
        var said = Bounded(problems);
        if (!reported.ContainsKey(key))
        {
            await AppendAsync("intake.refused", new Refusal(key, said), cancellationToken);
            reported[key] = false;
        }

        var repo = RepoName.Parse(source.Repo);
        var effect = new EffectKey($"{source.Job}/refused");
        if (source.Thread is { } thread)
        {
            if (await forge.FindCommentAsync(repo, thread, effect, cancellationToken) is null)
            {
                await forge.CommentAsync(repo, thread, Text(source, said), effect, cancellationToken);
            }
        }
        else
        {
            await forge.OpenIssueAsync(repo, $"The spec '{PathRules.Printable(source.Name)}' was refused", Text(source, said), effect, cancellationToken);
        }

        await AppendAsync("intake.reported", new Refusal(key, []), cancellationToken);
        reported[key] = true;
    }

    public static string KeyOf(SourceRef source) => $"{source.Key}@{source.Revision}";

    private static List<string> Bounded(IReadOnlyList<Problem> problems)
    {
        var said = problems.Take(MostProblems).Select(problem => problem.ToString())
            .Select(text => text.Length <= LongestProblem ? text : text[..LongestProblem] + "…").ToList();
        if (problems.Count > MostProblems)
        {
            said.Add($"and {problems.Count - MostProblems:N0} more of the kind");
        }

        return said;
    }

    private static string Text(SourceRef source, IReadOnlyList<string> said)
    {
        // A file name is text that somebody wrote: it must not end the code span it stands in.
        var path = PathRules.Printable(source.Path ?? "").Replace('`', '\'');
        var text = new StringBuilder($"This {(source.Kind == SourceKind.Issue ? "issue" : $"spec (`{path}`)")} was not taken up:\n\n");
        foreach (var problem in said)
        {
            text.Append("- ").Append(PullRequestText.Clean(problem).ReplaceLineEndings(" ")).Append('\n');
        }

        return text.Append("\nA corrected version is looked at as soon as it is there.").ToString();
    }

    private async Task LoadAsync(CancellationToken cancellationToken)
    {
        if (isLoaded)
        {
            return;
        }

        await foreach (var entry in journal.ReadAsync(StreamId.Intake, 0, cancellationToken))
        {
            var refusal = JsonSerializer.Deserialize(entry.Payload.Span, IntakeJson.Default.Refusal)!;
            reported[refusal.Key] = entry.Kind == "intake.reported";
        }

        isLoaded = true;
    }

    private Task AppendAsync(string kind, Refusal refusal, CancellationToken cancellationToken) => journal.AppendAsync(
        StreamId.Intake, null, [new NewEntry(kind, 1, JsonSerializer.SerializeToUtf8Bytes(refusal, IntakeJson.Default.Refusal))], cancellationToken);
}

/// <summary>Payload of the intake stream's entries.</summary>
internal sealed record Refusal(string Key, IReadOnlyList<string> Problems);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Refusal))]
internal sealed partial class IntakeJson : JsonSerializerContext;
