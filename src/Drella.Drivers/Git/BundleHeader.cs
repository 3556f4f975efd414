using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Drella.Drivers.Git;

/// <summary>
/// The text in front of a bundle's pack, read before Git sees a byte of it:
/// <code>
/// # v2 git bundle
/// -1111111111111111111111111111111111111111 comment
/// 2222222222222222222222222222222222222222 refs/heads/work
/// (empty line) PACK…
/// </code>
/// Version 3 has <c>@capability</c> lines after the first one.
/// </summary>
/// <param name="Prerequisites">Commits that the reader must have.</param>
/// <param name="Head">What the only ref points to.</param>
/// <param name="PackOffset">Where the pack begins.</param>
/// <param name="Objects">Objects that the pack says it has.</param>
internal sealed record BundleHeader(IReadOnlyList<string> Prerequisites, string Head, long PackOffset, uint Objects)
{
    private const int MaxHeader = 64 << 10;
    private const int PackHeader = 12;
    private static readonly SearchValues<char> Hexadecimal = SearchValues.Create("0123456789abcdef");
    private static readonly SearchValues<char> RefCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_-.+");

    /// <summary>Reads the header, or throws <see cref="FormatException"/> with a reason that may be shown to the guest.</summary>
    public static async Task<BundleHeader> ReadAsync(Stream bundle, CancellationToken cancellationToken)
    {
        var bytes = new byte[MaxHeader + PackHeader];
        var length = await bundle.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken);
        var end = bytes.AsSpan(0, length).IndexOf("\n\n"u8);
        if (end is < 0 or > MaxHeader)
        {
            throw new FormatException("this is not a bundle, or its header is too long");
        }

        var pack = bytes.AsSpan(end + 2, length - end - 2);
        if (pack.Length < PackHeader || !pack.StartsWith("PACK"u8) || BinaryPrimitives.ReadUInt32BigEndian(pack[4..]) is not (2 or 3))
        {
            throw new FormatException("the bundle has no pack");
        }

        var header = Parse(Encoding.Latin1.GetString(bytes, 0, end).Split('\n'));
        return header with { PackOffset = end + 2, Objects = BinaryPrimitives.ReadUInt32BigEndian(pack[8..]) };
    }

    public static bool IsObjectId(string? text) => text is { Length: 40 } && text.AsSpan().IndexOfAnyExcept(Hexadecimal) < 0;

    private static BundleHeader Parse(string[] lines)
    {
        if (lines[0] is not ("# v2 git bundle" or "# v3 git bundle"))
        {
            throw new FormatException("this is not a bundle of version 2 or 3");
        }

        List<string> prerequisites = [];
        string? head = null;
        foreach (var line in lines.Skip(1))
        {
            if (line.StartsWith('@') && lines[0] == "# v3 git bundle" && head is null && prerequisites.Count == 0)
            {
                RequireCapability(line);
            }
            else if (line.StartsWith('-') && head is null)
            {
                prerequisites.Add(RequireObjectId(line.Length > 41 && line[41] != ' ' ? "" : line[1..Math.Min(41, line.Length)]));
            }
            else
            {
                head = head is null ? ReadRef(line) : throw new FormatException("the bundle has more than one ref; give it one branch only");
            }
        }

        return new BundleHeader(prerequisites, head ?? throw new FormatException("the bundle has no ref"), 0, 0);
    }

    private static string ReadRef(string line)
    {
        var name = line.Length > 41 && line[40] == ' ' ? line[41..] : "";
        var isPlain = name == "HEAD" || (name.StartsWith("refs/heads/", StringComparison.Ordinal)
            && name.Length is > 11 and <= 200
            && name.AsSpan().IndexOfAnyExcept(RefCharacters) < 0
            && !name.Contains("..", StringComparison.Ordinal)
            && !name.Contains("//", StringComparison.Ordinal));
        return isPlain ? RequireObjectId(line[..40]) : throw new FormatException("the bundle's ref is not a plain branch");
    }

    private static void RequireCapability(string line)
    {
        if (line != "@object-format=sha1")
        {
            throw new FormatException("the bundle is partial or has another object format; make it with 'git bundle create' and no filter");
        }
    }

    private static string RequireObjectId(string text) =>
        IsObjectId(text) ? text : throw new FormatException("the bundle's header is damaged");
}
