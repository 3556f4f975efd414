using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Drella.Gateway.Tapes;

/// <summary>Reads a scripted tape. Unknown keys, duplicate keys and oversized documents are errors.</summary>
public static class TapeReader
{
    private const int MaxNodes = 200_000;
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        MaxDepth = 64,
        Converters = { new ScalarText() },
    };

    /// <exception cref="FormatException">The text is not a tape; the message names the place.</exception>
    public static Tape Read(string yaml)
    {
        try
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(yaml));
            var left = MaxNodes;
            var root = stream.Documents.Count == 1 ? ToJson(stream.Documents[0].RootNode, ref left) : null;
            var tape = root.Deserialize<Tape>(Options) ?? throw new FormatException("A tape is one document with 'scripts'.");
            return tape.Scripts.Select(script => script.Hash).Distinct().Count() == tape.Scripts.Count
                ? tape
                : throw new FormatException("Two scripts have the same 'match'.");
        }
        catch (Exception bad) when (bad is YamlException or JsonException or ArgumentException)
        {
            throw new FormatException($"Not a tape: {bad.Message}", bad);
        }
    }

    private static JsonNode? ToJson(YamlNode node, ref int left)
    {
        if (--left < 0)
        {
            throw new FormatException("The tape is too large.");
        }

        switch (node)
        {
            case YamlMappingNode map:
                var members = new JsonObject();
                foreach (var (key, value) in map.Children)
                {
                    members.Add(((YamlScalarNode)key).Value!, ToJson(value, ref left));
                }

                return members;
            case YamlSequenceNode list:
                var items = new JsonArray();
                foreach (var item in list.Children)
                {
                    items.Add(ToJson(item, ref left));
                }

                return items;
            default:
                return Scalar((YamlScalarNode)node);
        }
    }

    private static JsonValue? Scalar(YamlScalarNode node) => (node.Style, node.Value) switch
    {
        (not ScalarStyle.Plain, var text) => JsonValue.Create(text),
        (_, null or "" or "null" or "~") => null,
        (_, "true") => JsonValue.Create(true),
        (_, "false") => JsonValue.Create(false),
        (_, var text) when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) => JsonValue.Create(number),
        (_, var text) when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) => JsonValue.Create(number),
        (_, var text) => JsonValue.Create(text),
    };

    /// <summary>A text member takes any scalar, as in <c>say: 42</c>.</summary>
    private sealed class ScalarText : JsonConverter<string>
    {
        public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.TokenType switch
        {
            JsonTokenType.Number or JsonTokenType.True or JsonTokenType.False => Encoding.UTF8.GetString(reader.ValueSpan),
            _ => reader.GetString(),
        };

        public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WriteStringValue(value);
    }
}
