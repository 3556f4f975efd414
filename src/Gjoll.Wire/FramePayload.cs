using System.Buffers.Binary;

namespace Gjoll.Wire;

/// <summary>Reads the fixed payloads. A wrong length is a <see cref="WireException"/>.</summary>
public static class FramePayload
{
    public static (ulong Offset, ReadOnlyMemory<byte> Bytes) Data(in Frame frame)
    {
        if (frame.Payload.Length <= sizeof(ulong))
        {
            throw new WireException("a data frame without data came");
        }

        if (frame.Payload.Length > WireLimits.MaxData + sizeof(ulong))
        {
            throw new WireException("a data frame that is too long came");
        }

        return (BinaryPrimitives.ReadUInt64LittleEndian(frame.Payload.Span), frame.Payload[sizeof(ulong)..]);
    }

    /// <summary>Of <see cref="FrameKind.Ack"/> and <see cref="FrameKind.End"/>.</summary>
    public static ulong Offset(in Frame frame) => BinaryPrimitives.ReadUInt64LittleEndian(Exactly(frame, sizeof(ulong)));

    public static (int Code, ExitReason Reason) Exited(in Frame frame)
    {
        var payload = Exactly(frame, 5);
        var reason = (ExitReason)payload[4];
        return Enum.IsDefined(reason)
            ? (BinaryPrimitives.ReadInt32LittleEndian(payload), reason)
            : throw new WireException("an unknown reason of an exit came");
    }

    public static byte[] Exited(int code, ExitReason reason)
    {
        var payload = new byte[5];
        BinaryPrimitives.WriteInt32LittleEndian(payload, code);
        payload[4] = (byte)reason;
        return payload;
    }

    public static int Signal(in Frame frame) => BinaryPrimitives.ReadInt32LittleEndian(Exactly(frame, sizeof(int)));

    public static byte[] Signal(int number)
    {
        var payload = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(payload, number);
        return payload;
    }

    public static (ushort Columns, ushort Rows) Size(in Frame frame)
    {
        var payload = Exactly(frame, 4);
        return (BinaryPrimitives.ReadUInt16LittleEndian(payload), BinaryPrimitives.ReadUInt16LittleEndian(payload[2..]));
    }

    public static byte[] Size(ushort columns, ushort rows)
    {
        var payload = new byte[4];
        BinaryPrimitives.WriteUInt16LittleEndian(payload, columns);
        BinaryPrimitives.WriteUInt16LittleEndian(payload.AsSpan(2), rows);
        return payload;
    }

    private static ReadOnlySpan<byte> Exactly(in Frame frame, int length) =>
        frame.Payload.Length == length ? frame.Payload.Span : throw new WireException($"a {frame.Kind} frame of a wrong length came");
}
