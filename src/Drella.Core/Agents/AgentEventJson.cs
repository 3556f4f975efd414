using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Drella.Core.Agents;

/// <summary>Events as JSON objects with a <c>event</c>, as <c>docs/formats/transcript.md</c> says.</summary>
public static class AgentEventJson
{
    private static readonly (Type Type, string Kind)[] Kinds =
    [
        (typeof(AgentEvent.Session), "session"),
        (typeof(AgentEvent.Said), "text"),
        (typeof(AgentEvent.Thought), "thinking"),
        (typeof(AgentEvent.ToolCall), "tool.call"),
        (typeof(AgentEvent.ToolResult), "tool.result"),
        (typeof(AgentEvent.Permission), "permission"),
        (typeof(AgentEvent.Usage), "usage"),
        (typeof(AgentEvent.Retry), "retry"),
        (typeof(AgentEvent.Compaction), "compaction"),
        (typeof(AgentEvent.InputTaken), "input.taken"),
        (typeof(AgentEvent.Error), "error"),
        (typeof(AgentEvent.TurnEnded), "turn.ended"),
        (typeof(AgentEvent.Notice), "notice"),
        (typeof(AgentEvent.Unparsed), "unparsed"),
    ];

    private static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { AddKinds } },
    };

    /// <summary>One line of JSON. It is data, to be escaped again wherever it is shown.</summary>
    public static string Write(AgentEvent happened) => JsonSerializer.Serialize(happened, Options);

    /// <exception cref="JsonException">It is no event.</exception>
    public static AgentEvent Read(string json)
    {
        try
        {
            return JsonSerializer.Deserialize<AgentEvent>(json, Options) ?? throw new JsonException("null is no event.");
        }
        catch (NotSupportedException failure)
        {
            throw new JsonException("An event needs a known 'event'.", failure);
        }
    }

    private static void AddKinds(JsonTypeInfo info)
    {
        if (info.Type == typeof(AgentEvent))
        {
            info.PolymorphismOptions = new JsonPolymorphismOptions { TypeDiscriminatorPropertyName = "event" };
            foreach (var (type, kind) in Kinds)
            {
                info.PolymorphismOptions.DerivedTypes.Add(new JsonDerivedType(type, kind));
            }
        }
    }
}
