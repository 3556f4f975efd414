using System.Text;
using System.Text.Json;

namespace Drella.Gateway.Tapes;

/// <summary>One recorded call: a line of a recorded tape. Holds no header but the content type, hence no credential.</summary>
public sealed record RecordedExchange(string Role, int Attempt, int Round, string Path, JsonElement Request, int Status, string ContentType, string Response)
{
    /// <summary>Where in its conversation the call stood: the last tool call the agent showed, and how often the model spoke since.</summary>
    internal string Place => PlaceOf(Encoding.UTF8.GetBytes(Request.GetRawText()));

    internal static string PlaceOf(ReadOnlyMemory<byte> body)
    {
        if (Conversation.TryRead(body) is not { } conversation)
        {
            return "?";
        }

        var last = conversation.Turns.ToList().FindLastIndex(turn => turn.Calls.Count > 0);
        var spoken = conversation.Turns.Skip(last + 1).Count(turn => turn.IsAssistant);
        return $"{(last < 0 ? "-" : conversation.Turns[last].Calls[^1])}+{spoken}{(conversation.Tools.Count == 0 ? "/side" : "")}";
    }
}
