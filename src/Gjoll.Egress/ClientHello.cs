using System.Buffers.Binary;
using System.Text;

namespace Gjoll.Egress;

/// <summary>
/// What the first bytes of a tunnel turned out to be. Reads the records of a TLS ClientHello, however it is cut up, and no more of it than
/// is needed to learn the server name; anything that strays from the grammar is not TLS to us.
/// </summary>
internal abstract record ClientHello
{
    /// <summary>Largest hello that is looked at, in bytes of handshake. Post-quantum key shares make about 2 KiB.</summary>
    public const int MaxHandshake = 16 * 1024;

    private const int RecordHeader = 5;
    private const int MaxRecord = 16 * 1024;
    private const int ServerNameExtension = 0;
    private const int EncryptedHelloExtension = 0xfe0d;

    private ClientHello()
    {
    }

    /// <summary>Undecided; at least this many bytes are needed in all.</summary>
    public sealed record Incomplete(int Needed) : ClientHello;

    public sealed record NotTls : ClientHello;

    /// <param name="ServerName">As it came, ASCII; null when absent.</param>
    /// <param name="IsEncrypted">True when another name may hide behind this one.</param>
    public sealed record Complete(string? ServerName, bool IsEncrypted) : ClientHello;

    public static ClientHello Read(ReadOnlySpan<byte> bytes)
    {
        var handshake = new byte[MaxHandshake + 4];
        var length = 0;
        var position = 0;
        while (true)
        {
            var rest = bytes[position..];
            if (!LooksLikeRecord(rest))
            {
                return new NotTls();
            }

            if (rest.Length < RecordHeader)
            {
                return new Incomplete(position + RecordHeader);
            }

            var size = BinaryPrimitives.ReadUInt16BigEndian(rest[3..]);
            if (size is 0 or > MaxRecord || length + size > handshake.Length)
            {
                return new NotTls();
            }

            var present = Math.Min(size, rest.Length - RecordHeader);
            rest.Slice(RecordHeader, present).CopyTo(handshake.AsSpan(length));
            length += present;
            if (Judge(handshake.AsSpan(0, length)) is { } judged)
            {
                return judged;
            }

            if (present < size)
            {
                return new Incomplete(position + RecordHeader + size);
            }

            position += RecordHeader + size;
        }
    }

    private static bool LooksLikeRecord(ReadOnlySpan<byte> record) =>
        (record.Length < 1 || record[0] == 22) && (record.Length < 2 || record[1] == 3) && (record.Length < 3 || record[2] <= 4);

    private static ClientHello? Judge(ReadOnlySpan<byte> handshake)
    {
        if (handshake.Length > 0 && handshake[0] != 1)
        {
            return new NotTls();
        }

        if (handshake.Length < 4)
        {
            return null;
        }

        var size = (handshake[1] << 16) | (handshake[2] << 8) | handshake[3];
        if (size > MaxHandshake)
        {
            return new NotTls();
        }

        if (handshake.Length < 4 + size)
        {
            return null;
        }

        // A hello shares its flight with nothing: a second message behind it in the same record would pass unread.
        return handshake.Length > 4 + size ? new NotTls() : (ClientHello?)ReadBody(handshake.Slice(4, size)) ?? new NotTls();
    }

    private static Complete? ReadBody(ReadOnlySpan<byte> body)
    {
        var reader = new Cursor(body);
        if (!reader.TrySkip(2 + 32)
            || !reader.TryTake(1, out var session) || session.Length > 32
            || !reader.TryTake(2, out var ciphers) || ciphers.Length < 2 || ciphers.Length % 2 != 0
            || !reader.TryTake(1, out var compressions) || compressions.Length < 1)
        {
            return null;
        }

        if (reader.IsAtEnd)
        {
            return new Complete(null, false);
        }

        return reader.TryTake(2, out var extensions) && reader.IsAtEnd ? ReadExtensions(extensions) : null;
    }

    private static Complete? ReadExtensions(ReadOnlySpan<byte> extensions)
    {
        string? name = null;
        var types = new HashSet<int>();
        var reader = new Cursor(extensions);
        while (!reader.IsAtEnd)
        {
            if (!reader.TryNumber(out var type) || !reader.TryTake(2, out var data) || !types.Add(type))
            {
                return null;
            }

            if (type == ServerNameExtension && (name = ReadServerName(data)) is null)
            {
                return null;
            }
        }

        return new Complete(name, types.Contains(EncryptedHelloExtension));
    }

    private static string? ReadServerName(ReadOnlySpan<byte> data)
    {
        var outer = new Cursor(data);
        if (!outer.TryTake(2, out var list) || !outer.IsAtEnd || list.Length < 1 || list[0] != 0)
        {
            return null;
        }

        var inner = new Cursor(list[1..]);
        return inner.TryTake(2, out var name) && inner.IsAtEnd && name.Length > 0 && !name.ContainsAnyExceptInRange((byte)0x21, (byte)0x7e)
            ? Encoding.ASCII.GetString(name)
            : null;
    }

    private ref struct Cursor(ReadOnlySpan<byte> bytes)
    {
        private ReadOnlySpan<byte> rest = bytes;

        public readonly bool IsAtEnd => rest.IsEmpty;

        public bool TrySkip(int count)
        {
            if (rest.Length < count)
            {
                return false;
            }

            rest = rest[count..];
            return true;
        }

        public bool TryNumber(out int number)
        {
            number = rest.Length < 2 ? 0 : BinaryPrimitives.ReadUInt16BigEndian(rest);
            return TrySkip(2);
        }

        /// <summary>Takes a vector whose length stands before it in one or two bytes.</summary>
        public bool TryTake(int lengthBytes, out ReadOnlySpan<byte> vector)
        {
            vector = default;
            if (rest.Length < lengthBytes)
            {
                return false;
            }

            var length = lengthBytes == 1 ? rest[0] : BinaryPrimitives.ReadUInt16BigEndian(rest);
            if (rest.Length < lengthBytes + length)
            {
                return false;
            }

            vector = rest.Slice(lengthBytes, length);
            rest = rest[(lengthBytes + length)..];
            return true;
        }
    }
}
