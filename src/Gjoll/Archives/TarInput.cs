using System.Globalization;
using System.Text;

namespace Gjoll.Archives;

/// <summary>
/// Reads a tar stream that somebody hostile wrote: each length is bounded before anything is made of it, and what is no file, folder or link is refused.
/// Understands POSIX and GNU archives.
/// </summary>
internal sealed class TarInput(Stream stream)
{
    private const int Block = 512;
    private const int MaxText = 64 * 1024;
    private const int MaxExtensions = 16;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly byte[] _header = new byte[Block];
    private long _left;
    private int _padding;

    /// <summary>Null at the archive's end. What was left of the entry before is passed over.</summary>
    public async Task<TarEntry?> ReadAsync(CancellationToken cancellationToken)
    {
        string? name = null;
        string? link = null;
        long? size = null;
        for (var extensions = 0; ; extensions++)
        {
            await SkipAsync(_left + _padding, cancellationToken);
            (_left, _padding) = (0, 0);
            if (!await FillAsync(cancellationToken) || _header.All(value => value == 0))
            {
                return null;
            }

            CheckSum();
            var kind = (char)_header[156];
            Begin(kind is 'x' or 'g' or 'L' or 'K' ? Number(124, 12) : size ?? Number(124, 12));
            if (kind is not ('x' or 'g' or 'L' or 'K'))
            {
                return Entry(kind, name, link);
            }

            if (extensions >= MaxExtensions)
            {
                throw Broken("an entry has too many extensions");
            }

            var text = await TextAsync(cancellationToken);
            switch (kind)
            {
                case 'L':
                    name = Decode(text.AsSpan().TrimEnd((byte)0));
                    break;
                case 'K':
                    link = Decode(text.AsSpan().TrimEnd((byte)0));
                    break;
                case 'x':
                    foreach (var (key, value) in Records(text))
                    {
                        switch (key)
                        {
                            case "path":
                                name = Decode(value);
                                break;
                            case "linkpath":
                                link = Decode(value);
                                break;
                            case "size":
                                size = long.TryParse(Encoding.ASCII.GetString(value), NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) ? bytes : throw Broken("a size is no number");
                                break;
                        }
                    }

                    break;
            }
        }
    }

    /// <summary>Writes the content of the entry that was read last.</summary>
    public async Task CopyToAsync(Stream destination, CancellationToken cancellationToken)
    {
        var buffer = new byte[64 * 1024];
        while (_left > 0)
        {
            var read = await stream.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, _left)), cancellationToken);
            if (read == 0)
            {
                throw Broken("it ends in the middle of a file");
            }

            await destination.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            _left -= read;
        }
    }

    private TarEntry Entry(char kind, string? name, string? link)
    {
        var entryKind = kind switch
        {
            '0' or '\0' => TarEntryKind.File,
            '5' => TarEntryKind.Folder,
            '2' => TarEntryKind.SymbolicLink,
            '1' => TarEntryKind.HardLink,
            _ => throw Broken("an entry is neither file nor folder nor link"),
        };
        if (entryKind != TarEntryKind.File && _left != 0)
        {
            throw Broken("an entry that has no content brings some");
        }

        if (name is null)
        {
            name = Field(0, 100);
            // POSIX only: GNU keeps times where the prefix would be.
            if (_header.AsSpan(257, 6).SequenceEqual("ustar\0"u8) && Field(345, 155) is { Length: > 0 } prefix)
            {
                name = $"{prefix}/{name}";
            }
        }

        return new TarEntry(entryKind, name, link ?? Field(157, 100), _left, (int)(Number(100, 8) & 0xfff));
    }

    private void Begin(long size)
    {
        if (size < 0)
        {
            throw Broken("a size is below zero");
        }

        _left = size;
        _padding = (int)((Block - (size % Block)) % Block);
    }

    private async Task<byte[]> TextAsync(CancellationToken cancellationToken)
    {
        if (_left > MaxText)
        {
            throw Broken("an extension is too long");
        }

        var text = new byte[_left];
        await ReadExactlyAsync(text, cancellationToken);
        _left = 0;
        return text;
    }

    // LENGTH KEY=VALUE\n, where the length counts itself.
    private static IEnumerable<(string Key, byte[] Value)> Records(byte[] text)
    {
        for (var start = 0; start < text.Length;)
        {
            var space = Array.IndexOf(text, (byte)' ', start);
            if (space < 0
                || !int.TryParse(Encoding.ASCII.GetString(text, start, space - start), NumberStyles.None, CultureInfo.InvariantCulture, out var length)
                || length <= space - start + 1 || length > text.Length - start)
            {
                throw Broken("an extension is malformed");
            }

            var equals = Array.IndexOf(text, (byte)'=', space, start + length - space);
            if (equals < 0)
            {
                throw Broken("an extension is malformed");
            }

            yield return (Encoding.ASCII.GetString(text, space + 1, equals - space - 1), text[(equals + 1)..(start + length - 1)]);
            start += length;
        }
    }

    private void CheckSum()
    {
        var sum = 0;
        for (var index = 0; index < Block; index++)
        {
            sum += index is >= 148 and < 156 ? ' ' : _header[index];
        }

        if (Number(148, 8) != sum)
        {
            throw Broken("a checksum is wrong");
        }
    }

    private long Number(int offset, int length)
    {
        var field = _header.AsSpan(offset, length);
        if ((field[0] & 0x80) != 0)
        {
            // GNU, for what octal digits cannot hold.
            var big = (long)(field[0] & 0x7f);
            foreach (var value in field[1..])
            {
                big = big > long.MaxValue >> 8 ? throw Broken("a number is too large") : (big << 8) | value;
            }

            return big;
        }

        var number = 0L;
        foreach (var digit in field.Trim("\0 "u8))
        {
            number = digit is >= (byte)'0' and <= (byte)'7' ? (number << 3) | (uint)(digit - '0') : throw Broken("a number is malformed");
        }

        return number;
    }

    private string Field(int offset, int length)
    {
        var field = _header.AsSpan(offset, length);
        var end = field.IndexOf((byte)0);
        return Decode(end < 0 ? field : field[..end]);
    }

    private static string Decode(ReadOnlySpan<byte> bytes)
    {
        try
        {
            var text = Strict.GetString(bytes);
            return text.Contains('\0', StringComparison.Ordinal) ? throw Broken("a name holds a NUL") : text;
        }
        catch (DecoderFallbackException)
        {
            throw Broken("a name is not UTF-8");
        }
    }

    private async Task<bool> FillAsync(CancellationToken cancellationToken)
    {
        var read = await stream.ReadAtLeastAsync(_header, Block, throwOnEndOfStream: false, cancellationToken);
        return read == Block || (read == 0 ? false : throw Broken("it ends in the middle of an entry"));
    }

    private async Task SkipAsync(long count, CancellationToken cancellationToken)
    {
        var buffer = new byte[Math.Min(64 * 1024, count)];
        while (count > 0)
        {
            var part = (int)Math.Min(buffer.Length, count);
            await ReadExactlyAsync(buffer.AsMemory(0, part), cancellationToken);
            count -= part;
        }
    }

    private async Task ReadExactlyAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken) < buffer.Length)
        {
            throw Broken("it ends too early");
        }
    }

    private static GjollException Broken(string why) => new($"The archive that the guest sent is refused: {why}.");
}
