using Drella.Core.Agents;

namespace Drella.Verbs;

/// <summary>An agent's events as lines for a terminal; results are cut after a few lines. Pure.</summary>
internal static class TranscriptText
{
    private const int MaxLines = 15;
    private const int MaxWidth = 200;

    public static string For(AgentEvent said) => said switch
    {
        AgentEvent.Session e => $"── session {TerminalText.Line(e.Id, 40)}, {TerminalText.Line(e.Model, 60)}\n",
        AgentEvent.Said e => Lines(e.Content, "", int.MaxValue),
        AgentEvent.ToolCall e => $"▸ {TerminalText.Line(e.Tool, 60)} {TerminalText.Line(e.Input, MaxWidth)}\n",
        AgentEvent.ToolResult e => Lines(e.Output, e.Ok ? "  │ " : "  ✗ ", MaxLines),
        AgentEvent.Error e => $"✗ {TerminalText.Line($"{e.Class} {e.Status}: {e.Message}", MaxWidth)}\n",
        AgentEvent.Retry e => $"… the model was not there ({e.Status}), try {e.Attempt}\n",
        AgentEvent.TurnEnded e => $"── the turn ended: {TerminalText.Line(e.Reason, MaxWidth)}\n",
        AgentEvent.Unparsed e => $"? {TerminalText.Line(e.Start, MaxWidth)}\n",
        _ => "",
    };

    private static string Lines(string text, string prefix, int most)
    {
        var lines = TerminalText.Show(text).TrimEnd('\n').Split('\n');
        var shown = lines.Take(most).Select(line => prefix + (most == int.MaxValue ? line : TerminalText.Line(line, MaxWidth)) + "\n");
        return string.Concat(shown) + (lines.Length > most ? $"{prefix}({lines.Length - most} more lines)\n" : "");
    }
}
