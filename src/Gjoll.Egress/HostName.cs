using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Gjoll.Egress;

/// <summary>
/// The canonical name of a host: lower-case letters, digits and hyphens in labels. What is compared with the allow-list is what is resolved
/// and dialled. No form of an address is a name, so nothing that a resolver or a C library would read as a number gets here.
/// </summary>
internal readonly record struct HostName
{
    private const int MaxLength = 253;
    private const int MaxLabel = 63;
    private static readonly SearchValues<char> Ldh = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.");
    private static readonly SearchValues<char> Hexadecimal = SearchValues.Create("0123456789abcdefABCDEF");

    private HostName(string value) => Value = value;

    public string Value { get; }

    /// <summary>Reads a name. One trailing dot is taken off; anything else that is not a plain name is refused, with the reason.</summary>
    public static bool TryParse(string? text, out HostName host, [NotNullWhen(false)] out EgressRefusal? refusal)
    {
        host = default;
        refusal = Judge(text);
        if (refusal is not null)
        {
            return false;
        }

        host = new HostName(WithoutDot(text!).ToString().ToLowerInvariant());
        return true;
    }

    public override string ToString() => Value;

    private static EgressRefusal? Judge(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return EgressRefusal.BadName;
        }

        if (text.Contains(':') || text[0] == '[')
        {
            return EgressRefusal.Literal;
        }

        if (text.AsSpan().ContainsAnyExcept(Ldh))
        {
            return EgressRefusal.BadName;
        }

        var name = WithoutDot(text);
        if (name.Length is 0 or > MaxLength)
        {
            return EgressRefusal.BadName;
        }

        var last = default(Range);
        foreach (var label in name.Split('.'))
        {
            if (!IsLabel(name[label]))
            {
                return EgressRefusal.BadName;
            }

            last = label;
        }

        return IsNumber(name[last]) ? EgressRefusal.Literal : null;
    }

    private static ReadOnlySpan<char> WithoutDot(string text) => text[^1] == '.' ? text.AsSpan(..^1) : text;

    private static bool IsLabel(ReadOnlySpan<char> label) =>
        label.Length is > 0 and <= MaxLabel && label[0] != '-' && label[^1] != '-';

    // 127.1, 2130706433, 0177.0.0.1 and 0x7f000001 are all read as addresses by inet_aton: a name never ends in a number.
    private static bool IsNumber(ReadOnlySpan<char> label) =>
        !label.ContainsAnyExceptInRange('0', '9')
        || (label is ['0', 'x' or 'X', ..] && !label[2..].ContainsAnyExcept(Hexadecimal));
}
