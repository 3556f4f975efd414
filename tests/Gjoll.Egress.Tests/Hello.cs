using System.Buffers.Binary;
using System.Text;

namespace Gjoll.Egress.Tests;

/// <summary>Builds TLS hellos, good and bad.</summary>
internal static class Hello
{
    public static byte[] For(string? name, params (int Type, byte[] Data)[] more)
    {
        var extensions = new List<byte>();
        if (name is not null)
        {
            extensions.AddRange(Extension(0, ServerNames((0, Encoding.Latin1.GetBytes(name)))));
        }

        foreach (var (type, data) in more)
        {
            extensions.AddRange(Extension(type, data));
        }

        return Record(Handshake(Body(extensions)));
    }

    public static byte[] Body(IEnumerable<byte> extensions) =>
        [3, 3, .. new byte[32], 0, .. Vector([0x13, 0x01]), 1, 0, .. Vector([.. extensions])];

    public static byte[] Handshake(byte[] body, byte type = 1) => [type, (byte)(body.Length >> 16), (byte)(body.Length >> 8), (byte)body.Length, .. body];

    public static byte[] Record(byte[] content, byte type = 22) => [type, 3, 1, .. Vector(content)];

    public static byte[] Extension(int type, byte[] data) => [(byte)(type >> 8), (byte)type, .. Vector(data)];

    public static byte[] ServerNames(params (byte Type, byte[] Name)[] names) =>
        Vector([.. names.SelectMany(name => (byte[])[name.Type, .. Vector(name.Name)])]);

    /// <summary>The same handshake in records of a few bytes.</summary>
    public static byte[] Cut(byte[] record, int size) => [.. record[5..].Chunk(size).SelectMany(piece => Record(piece))];

    private static byte[] Vector(byte[] content)
    {
        var vector = new byte[content.Length + 2];
        BinaryPrimitives.WriteUInt16BigEndian(vector, (ushort)content.Length);
        content.CopyTo(vector, 2);
        return vector;
    }
}
