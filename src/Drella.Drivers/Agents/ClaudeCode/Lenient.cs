using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Drella.Drivers.Agents.ClaudeCode;

/// <summary>Reads JSON that a guest wrote: any member may be absent or of another kind, and strings may hold what is no Unicode.</summary>
internal static class Lenient
{
    /// <summary>Longest text in one event; the whole of it is in the transcript.</summary>
    public const int MaxText = 64 * 1024;

    public static JsonElement? Member(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null
            ? value
            : null;

    public static JsonElement? Member(this JsonElement? element, string name) => element?.Member(name);

    public static IEnumerable<JsonElement> Items(this JsonElement? element, int most) =>
        element is { ValueKind: JsonValueKind.Array } array ? array.EnumerateArray().Take(most) : [];

    /// <summary>The member's text; other kinds as JSON; empty when absent.</summary>
    public static string Text(this JsonElement? element, string name) => element.Member(name).Text();

    public static string Text(this JsonElement element, string name) => element.Member(name).Text();

    public static string Text(this JsonElement? element) => element switch
    {
        null => "",
        { ValueKind: JsonValueKind.String } text => Cut(Decode(text)),
        { } other => Cut(Raw(other)),
    };

    public static bool True(this JsonElement element, string name) => element.Member(name)?.ValueKind == JsonValueKind.True;

    public static long Number(this JsonElement? element, string name) =>
        element.Member(name) is { ValueKind: JsonValueKind.Number } number && number.TryGetDouble(out var value) && double.IsFinite(value)
            ? (long)Math.Clamp(value, 0, long.MaxValue / 2)
            : 0;

    public static int? Status(this JsonElement element, string name) =>
        element.Member(name) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt32(out var value) ? value : null;

    public static string Cut(string text) =>
        text.Length <= MaxText ? text : string.Create(CultureInfo.InvariantCulture, $"{text.AsSpan(0, MaxText)}… [{text.Length - MaxText} more]");

    private static string Raw(JsonElement element) => Encoding.UTF8.GetString(JsonMarshal.GetRawUtf8Value(element));

    private static string Decode(JsonElement text)
    {
        try
        {
            return text.GetString() ?? "";
        }
        catch (InvalidOperationException)
        {
            // A lone surrogate or bytes that are no UTF-8.
            return Unescape(Raw(text).AsSpan()[1..^1]);
        }
    }

    private static string Unescape(ReadOnlySpan<char> escaped)
    {
        var text = new StringBuilder(escaped.Length);
        for (var i = 0; i < escaped.Length; i++)
        {
            if (escaped[i] != '\\' || i + 1 >= escaped.Length)
            {
                text.Append(escaped[i]);
                continue;
            }

            var kind = escaped[++i];
            if (kind == 'u' && i + 4 < escaped.Length
                && ushort.TryParse(escaped.Slice(i + 1, 4), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var code))
            {
                text.Append((char)code);
                i += 4;
                continue;
            }

            text.Append(kind switch { 'n' => '\n', 't' => '\t', 'r' => '\r', 'b' => '\b', 'f' => '\f', _ => kind });
        }

        return WithoutLoneSurrogates(text);
    }

    private static string WithoutLoneSurrogates(StringBuilder text) =>
        Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text.ToString()));
}
