using System.Text.RegularExpressions;
using Drella.Core.Forges;

namespace Drella.Drivers.Forges.GitHub;

/// <summary>
/// The hidden marker that carries an effect's key at the end of a body. Only the last thing in a body counts, and what looks like a marker
/// inside a text is defused before it is written, so a text cannot claim an effect.
/// </summary>
internal static partial class Marker
{
    private const string Open = "<!-- drella:";

    public static string Append(string body, EffectKey key) => $"{Defuse(body)}\n\n{Open}{key.Value} -->";

    /// <summary>Puts the marker of an earlier body under a new one.</summary>
    public static string Carry(string? earlier, string body) =>
        KeyOf(earlier) is { } key ? Append(body, key) : Defuse(body);

    public static string Defuse(string body) => body.Replace(Open, "<!-- drella ", StringComparison.OrdinalIgnoreCase);

    public static EffectKey? KeyOf(string? body) =>
        Pattern().Match(body ?? "") is { Success: true } match ? new EffectKey(match.Groups[1].Value) : null;

    /// <summary>The body as it was handed in.</summary>
    public static string Strip(string? body) => Pattern().Replace(body ?? "", "");

    [GeneratedRegex(@"(?:\r?\n){0,2}<!-- drella:([A-Za-z0-9/._-]{1,300}) -->\s*\z", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
