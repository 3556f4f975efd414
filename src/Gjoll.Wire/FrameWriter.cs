using System.Buffers.Binary;

namespace Gjoll.Wire;

/// <summary>
/// Writes frames into a caller's buffer. A frame is a header of 16 bytes, all numbers little-endian, and a payload:
/// <code>
/// 0  "gjw1"    where a reader that lost its place starts again
/// 4  kind      5  stream     6  zero (2)
/// 8  channel   12 length of the payload
/// </code>
/// </summary>
public static class FrameWriter
{
    public const int HeaderSize = 16;

    /// <summary>The bytes <c>gjw1</c> as a number.</summary>
    public const uint Magic = 0x3177_6a67;

    public static void Header(Span<byte> target, FrameKind kind, byte stream, uint channel, int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, WireLimits.MaxPayload);
        BinaryPrimitives.WriteUInt32LittleEndian(target, Magic);
        target[4] = (byte)kind;
        target[5] = stream;
        target[6] = 0;
        target[7] = 0;
        BinaryPrimitives.WriteUInt32LittleEndian(target[8..], channel);
        BinaryPrimitives.WriteInt32LittleEndian(target[12..], length);
    }

    /// <summary>Header and offset of a data frame whose bytes the caller puts behind: <see cref="DataPrefix"/> bytes.</summary>
    public static void Data(Span<byte> target, byte stream, uint channel, ulong offset, int length)
    {
        Header(target, FrameKind.Data, stream, channel, length + sizeof(ulong));
        BinaryPrimitives.WriteUInt64LittleEndian(target[HeaderSize..], offset);
    }

    public const int DataPrefix = HeaderSize + sizeof(ulong);

    public static byte[] Make(FrameKind kind, uint channel, ReadOnlySpan<byte> payload, byte stream = 0)
    {
        var frame = new byte[HeaderSize + payload.Length];
        Header(frame, kind, stream, channel, payload.Length);
        payload.CopyTo(frame.AsSpan(HeaderSize));
        return frame;
    }

    /// <summary>An <see cref="FrameKind.Ack"/> or <see cref="FrameKind.End"/>.</summary>
    public static byte[] Mark(FrameKind kind, uint channel, byte stream, ulong offset)
    {
        Span<byte> payload = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(payload, offset);
        return Make(kind, channel, payload, stream);
    }
}
