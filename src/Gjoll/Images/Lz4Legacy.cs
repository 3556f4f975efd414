using System.Buffers.Binary;

namespace Gjoll.Images;

/// <summary>
/// Unpacks the legacy LZ4 frame, in which Debian's cloud kernel is packed: magic, then blocks of (compressed size, bytes) that unpack to 8 MiB each, the
/// last to less. Host programs for it are rarely installed, and the format is small.
/// </summary>
internal static class Lz4Legacy
{
    public const uint Magic = 0x184c2102;

    private const int BlockLength = 8 << 20;
    private const int MinimalMatch = 4;
    private const int LongLength = 15;

    public static byte[] Unpack(ReadOnlySpan<byte> packed)
    {
        if (packed.Length < 4 || BinaryPrimitives.ReadUInt32LittleEndian(packed) != Magic)
        {
            throw new InvalidDataException("This is no legacy LZ4 frame.");
        }

        var output = new MemoryStream();
        var block = new byte[BlockLength];
        for (var rest = packed[4..]; rest.Length >= 4;)
        {
            var size = BinaryPrimitives.ReadUInt32LittleEndian(rest);
            if (size > rest.Length - 4)
            {
                throw new InvalidDataException("An LZ4 block is cut short.");
            }

            output.Write(block, 0, UnpackBlock(rest.Slice(4, (int)size), block));
            rest = rest[(4 + (int)size)..];
        }

        return output.ToArray();
    }

    private static int UnpackBlock(ReadOnlySpan<byte> input, Span<byte> output)
    {
        var (read, written) = (0, 0);
        while (read < input.Length)
        {
            var token = input[read++];
            var literals = Length(input, ref read, token >> 4);
            if (literals > input.Length - read || literals > output.Length - written)
            {
                throw new InvalidDataException("An LZ4 block has more literals than bytes.");
            }

            input.Slice(read, literals).CopyTo(output[written..]);
            read += literals;
            written += literals;
            if (read == input.Length)
            {
                // The last sequence has no match.
                break;
            }

            if (input.Length - read < 2)
            {
                throw new InvalidDataException("An LZ4 block ends in an offset.");
            }

            var offset = BinaryPrimitives.ReadUInt16LittleEndian(input[read..]);
            read += 2;
            var match = Length(input, ref read, token & LongLength) + MinimalMatch;
            if (offset == 0 || offset > written || match > output.Length - written)
            {
                throw new InvalidDataException("An LZ4 match leads out of its block.");
            }

            // Byte by byte: a match may overlap what it makes.
            for (var end = written + match; written < end; written++)
            {
                output[written] = output[written - offset];
            }
        }

        return written;
    }

    private static int Length(ReadOnlySpan<byte> input, ref int read, int length)
    {
        if (length < LongLength)
        {
            return length;
        }

        byte more;
        do
        {
            if (read == input.Length || length > BlockLength)
            {
                throw new InvalidDataException("An LZ4 length has no end.");
            }

            more = input[read++];
            length += more;
        }
        while (more == byte.MaxValue);

        return length;
    }
}
