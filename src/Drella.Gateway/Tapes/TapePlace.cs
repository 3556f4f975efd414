using System.Globalization;
using System.Text.RegularExpressions;

namespace Drella.Gateway.Tapes;

/// <summary>
/// Where a conversation stands in a script. Read from the conversation alone, so that a restart of the daemon, or a session resumed
/// elsewhere, goes on at the right step.
/// </summary>
internal sealed partial record TapePlace(int Step, int Serving, IReadOnlyDictionary<string, string> Variables, IReadOnlyList<Conversation.ToolResult> LastResults)
{
    public const string Idle = "Nothing is left to do in this round.";

    public static string CallId(TapeScript script, int step, int serving, int call) =>
        string.Create(CultureInfo.InvariantCulture, $"toolu_{script.Hash}_{step}_{serving}_{call}");

    /// <summary>A compaction drops the calls, so the summary carries the place.</summary>
    public static string Mark(TapeScript script, int step) => string.Create(CultureInfo.InvariantCulture, $"tape-place:{script.Hash}:{step}");

    public static TapePlace Read(TapeScript script, Conversation conversation, IReadOnlyDictionary<string, string> given)
    {
        var (step, variables) = (0, new Dictionary<string, string>(given));
        var served = new Dictionary<int, HashSet<int>>();
        var interrupted = new Dictionary<int, int>();
        IReadOnlyList<Conversation.ToolResult> results = [];
        foreach (var turn in conversation.Turns)
        {
            if (!turn.IsAssistant)
            {
                // An interrupted call says nothing of what came of it: the step is served again on the results before it.
                IReadOnlyList<Conversation.ToolResult> told = [.. turn.Results.Where(result => !result.WasInterrupted)];
                results = told.Count > 0 ? told : results;
                if (Marked().Matches(turn.Text).LastOrDefault(mark => mark.Groups[1].Value == script.Hash) is { } place)
                {
                    step = Number(place.Groups[2]);
                }

                if (turn.Results.FirstOrDefault(result => result.WasInterrupted && Parse(script, result.CallId) is not null) is { } broken)
                {
                    step = Parse(script, broken.CallId)!.Value.Step;
                    interrupted[step] = interrupted.GetValueOrDefault(step) + 1;
                }

                continue;
            }

            if (turn.Calls.Select(id => Parse(script, id)).FirstOrDefault(found => found is not null) is { } call && call.Step < script.Steps.Count)
            {
                Capture(script.Steps[call.Step], results, variables);
                (served.TryGetValue(call.Step, out var servings) ? servings : served[call.Step] = []).Add(call.Serving);
                step = served[call.Step].Count - interrupted.GetValueOrDefault(call.Step) < script.Steps[call.Step].Times ? call.Step : call.Step + 1;
            }
            else if (turn.Calls.Any(id => Scripted().IsMatch(id)))
            {
                // Another script spoke here: an earlier round of the same session.
                step = 0;
            }
            else if (turn.Calls.Count == 0)
            {
                step = AfterText(script, step, turn.Text, variables);
            }
        }

        if (step < script.Steps.Count)
        {
            Capture(script.Steps[step], results, variables);
        }

        return new TapePlace(step, served.GetValueOrDefault(step)?.Count ?? 0, variables, results);
    }

    public static string Substitute(string text, IReadOnlyDictionary<string, string> variables) =>
        Variable().Replace(text, match => variables.GetValueOrDefault(match.Groups[1].Value, match.Value));

    private static int AfterText(TapeScript script, int step, string said, Dictionary<string, string> variables)
    {
        var at = step;
        while (at < script.Steps.Count && !script.Steps[at].HasContent)
        {
            at++;
        }

        return at < script.Steps.Count && !script.Steps[at].CallsTools && Substitute(script.Steps[at].Say ?? "", variables).Trim() == said.Trim() ? at + 1 : step;
    }

    private static void Capture(TapeStep step, IReadOnlyList<Conversation.ToolResult> results, Dictionary<string, string> variables)
    {
        foreach (var (name, pattern) in step.Set)
        {
            var found = results.Select(result => Regex.Match(result.Text, pattern, RegexOptions.None, TimeSpan.FromSeconds(1))).FirstOrDefault(match => match.Success);
            if (found is not null)
            {
                variables[name] = found.Groups[found.Groups.Count > 1 ? 1 : 0].Value;
            }
        }
    }

    private static (int Step, int Serving)? Parse(TapeScript script, string id) =>
        Scripted().Match(id) is { Success: true } match && match.Groups[1].Value == script.Hash
            ? (Number(match.Groups[2]), Number(match.Groups[3]))
            : null;

    private static int Number(Group group) => int.Parse(group.ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex("^toolu_([0-9a-f]{8})_([0-9]{1,6})_([0-9]{1,6})_[0-9]{1,4}$")]
    private static partial Regex Scripted();

    [GeneratedRegex("tape-place:([0-9a-f]{8}):([0-9]{1,6})")]
    private static partial Regex Marked();

    [GeneratedRegex(@"\$\{([a-z][a-zA-Z0-9_]*)\}")]
    private static partial Regex Variable();
}
