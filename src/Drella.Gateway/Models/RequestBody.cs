using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Drella.Core.Sandboxes;

namespace Drella.Gateway.Models;

/// <summary>A request's bytes with model and output cap fixed by policy; every other byte is as the agent sent it.</summary>
internal sealed record RequestBody(ReadOnlyMemory<byte> Bytes, string Model, long MaxTokens)
{
    private const int MaxDepth = 128;

    /// <summary>The member that would make the provider reach out by itself, or null.</summary>
    public string? Hosted { get; private init; }

    /// <summary>Null when the body is not one JSON object, or when anything in it could be read in two ways.</summary>
    public static RequestBody? Fix(ReadOnlyMemory<byte> body, ModelPolicy policy, bool countsOnly)
    {
        try
        {
            return FixChecked(body, policy, countsOnly);
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static RequestBody? FixChecked(ReadOnlyMemory<byte> body, ModelPolicy policy, bool countsOnly)
    {
        var (modelAt, maxAt, start) = (default(Range?), default(Range?), 0);
        var (model, max) = (policy.Models[0], (long)policy.MaxOutputTokens);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var reader = new Utf8JsonReader(body.Span, new JsonReaderOptions { MaxDepth = MaxDepth });
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            return null;
        }

        start = (int)reader.BytesConsumed;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            if (!seen.Add(name))
            {
                return null;
            }

            reader.Read();
            var from = (int)reader.TokenStartIndex;
            if (name == "model")
            {
                var asked = reader.GetString();
                modelAt = from..(int)reader.BytesConsumed;
                model = asked is not null && policy.Models.Contains(asked) ? asked : model;
            }
            else if (name == "max_tokens")
            {
                max = reader.TryGetInt64(out var number) && number > 0 ? Math.Min(number, max) : max;
                maxAt = from..(int)reader.BytesConsumed;
            }

            reader.Skip();
        }

        // Whatever follows the object makes the reader throw.
        while (reader.Read())
        {
        }

        var modelText = JsonSerializer.Serialize(model);
        var maxText = max.ToString(CultureInfo.InvariantCulture);
        var missing = new[] { modelAt is null ? $"\"model\":{modelText}" : "", maxAt is null && !countsOnly ? $"\"max_tokens\":{maxText}" : "" };
        var inserted = string.Join(',', missing.Where(text => text.Length > 0));
        var edits = new List<(Range At, string Text)> { (start..start, inserted.Length > 0 && seen.Count > 0 ? inserted + "," : inserted) };
        if (modelAt is { } modelPlace)
        {
            edits.Add((modelPlace, modelText));
        }

        if (maxAt is { } maxPlace && !countsOnly)
        {
            edits.Add((maxPlace, maxText));
        }

        return new RequestBody(Splice(body.Span, edits), model, max) { Hosted = HostedIn(body) };
    }

    private static string? HostedIn(ReadOnlyMemory<byte> body)
    {
        // Duplicates at any depth: with two types in a block it would be the provider's parser that chooses.
        using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = MaxDepth, AllowDuplicateProperties = false });
        return HostedFeatures.Find(document.RootElement);
    }

    private static byte[] Splice(ReadOnlySpan<byte> body, List<(Range At, string Text)> edits)
    {
        var result = new ArrayBufferWriter<byte>(body.Length + 64);
        var from = 0;
        foreach (var (at, text) in edits.OrderBy(edit => edit.At.Start.Value))
        {
            result.Write(body[from..at.Start.Value]);
            result.Write(Encoding.UTF8.GetBytes(text));
            from = at.End.Value;
        }

        result.Write(body[from..]);
        return result.WrittenSpan.ToArray();
    }
}
