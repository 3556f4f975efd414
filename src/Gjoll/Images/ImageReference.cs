namespace Gjoll.Images;

/// <summary>How an image is named: <c>name</c>, <c>name:variant</c>, <c>name@sha256:…</c>. What is absent is null.</summary>
public sealed record ImageReference(string Name, string? Variant, string? Digest)
{
    public const string DefaultVariant = "default";

    private const string DigestMark = "@sha256:";

    public static ImageReference Parse(string text)
    {
        var mark = text.IndexOf(DigestMark, StringComparison.Ordinal);
        var digest = mark < 0 ? null : text[(mark + DigestMark.Length)..];
        var rest = mark < 0 ? text : text[..mark];
        var colon = rest.IndexOf(':', StringComparison.Ordinal);
        var name = colon < 0 ? rest : rest[..colon];
        var variant = colon < 0 ? null : rest[(colon + 1)..];
        return IsName(name) && (variant is null || IsName(variant)) && (digest is null || Images.Digest.IsWellFormed(digest))
            ? new ImageReference(name, variant, digest)
            : throw new GjollException($"'{text}' names no image; write name, name:variant or name@sha256:DIGEST.");
    }

    public override string ToString() => Name + (Variant is null ? "" : ":" + Variant) + (Digest is null ? "" : DigestMark + Digest);

    private static bool IsName(string name) =>
        name.Length is > 0 and <= 64 && char.IsAsciiLetterOrDigit(name[0]) && name.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter is '-' or '.');
}
