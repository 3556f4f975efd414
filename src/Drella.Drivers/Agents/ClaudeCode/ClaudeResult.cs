using System.Text.Json;

namespace Drella.Drivers.Agents.ClaudeCode;

/// <summary>One <c>result</c> line. Its subtype says "success" when the model server failed, so error flag and reason decide.</summary>
/// <param name="IsError">False only when the line says <c>"is_error":false</c>; a line that does not say is an error.</param>
internal sealed record ClaudeResult(
    string Subtype, bool IsError, string Reason, string StopReason, int? Status, string ErrorType, string Summary, long QueuedTurns)
{
    public static ClaudeResult From(JsonElement line)
    {
        JsonElement? whole = line;
        var words = line.Text("result");
        return new ClaudeResult(
            line.Text("subtype"),
            line.Member("is_error")?.ValueKind != JsonValueKind.False,
            line.Text("terminal_reason"),
            line.Text("stop_reason"),
            line.Status("api_error_status"),
            line.Text("api_error_type"),
            words.Length > 0 ? words : string.Join('\n', line.Member("errors").Items(20).Select(error => Lenient.Text(error))),
            whole.Number("queued_turn_count"));
    }
}
