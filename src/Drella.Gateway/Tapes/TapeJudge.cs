using System.Text.RegularExpressions;
using Gjoll.Egress;

namespace Drella.Gateway.Tapes;

/// <summary>Holds a request against what a step expects.</summary>
internal static class TapeJudge
{
    private static readonly TimeSpan PatternTime = TimeSpan.FromSeconds(1);

    /// <summary>Why the request is not what the step expects; null when it is.</summary>
    public static string? Why(TapeExpect? expect, Conversation conversation, TapePlace place)
    {
        if (expect is null)
        {
            return null;
        }

        var results = string.Join('\n', place.LastResults.Select(result => result.Text));
        var ok = place.LastResults.All(result => !result.IsError);
        (string Name, TapeText? Wanted, string Text, bool Ok)[] parts =
        [
            ("prompt", expect.Prompt, conversation.Prompt, true),
            ("system", expect.System, conversation.System, true),
            ("lastToolResult", expect.LastToolResult, results, ok && place.LastResults.Count > 0),
            ("model", expect.Model, conversation.Model, true),
        ];
        var missed = parts.FirstOrDefault(part => part.Wanted is not null && !Holds(part.Wanted, part.Text, part.Ok, place.Variables));
        return missed.Name is not null ? $"{missed.Name} is not as expected: {Printable.Escape(missed.Text, 300)}"
            : expect.ToolsInclude.FirstOrDefault(tool => !conversation.Tools.Contains(tool)) is { } absent ? $"the tool '{absent}' is not offered"
            : null;
    }

    public static bool Holds(TapeText wanted, string text, bool ok, IReadOnlyDictionary<string, string> variables) =>
        (wanted.Contains is null || text.Contains(TapePlace.Substitute(wanted.Contains, variables), StringComparison.Ordinal))
        && (wanted.Matches is null || Regex.IsMatch(text, wanted.Matches, RegexOptions.None, PatternTime))
        && (wanted.NotMatches is null || !Regex.IsMatch(text, wanted.NotMatches, RegexOptions.None, PatternTime))
        && (wanted.Ok is null || wanted.Ok == ok);
}
