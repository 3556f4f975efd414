using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Drella.Gateway.Tools;

/// <summary>
/// The identity of a call: the agent's own id where it gives one, so that the call can be found in its transcript and a repeat is known as
/// one; else made of the message's id and content.
/// </summary>
internal static class CallId
{
    private const string AgentKey = "claudecode/toolUseId";
    private const int MaxLength = 128;
    private static readonly SearchValues<char> Plain =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:");

    public static string For(JsonObject? meta, string messageId, string tool, JsonElement arguments)
    {
        if (meta?[AgentKey] is JsonValue value && value.TryGetValue<string>(out var given)
            && given.Length is > 0 and <= MaxLength && !given.AsSpan().ContainsAnyExcept(Plain))
        {
            return given;
        }

        var content = SHA256.HashData(Encoding.UTF8.GetBytes($"{messageId}\n{tool}\n{arguments.GetRawText()}"));
        return "rpc-" + Convert.ToHexStringLower(content.AsSpan(0, 16));
    }
}
