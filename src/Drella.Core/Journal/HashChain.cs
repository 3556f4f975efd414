using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Drella.Core.Journal;

/// <summary>
/// The chain that makes a stream evidence: each entry's hash covers the hash before it.
/// Format, also in <c>docs/formats/journal.md</c>: SHA-256 over previous hash (32 bytes), then sequence, unix milliseconds and
/// version as 8-byte big-endian integers, then stream, kind and payload, each preceded by its byte length as 8-byte big-endian.
/// </summary>
public static class HashChain
{
    /// <summary>What stands before the first entry of a stream.</summary>
    public static ReadOnlyMemory<byte> Genesis { get; } = new byte[32];

    /// <summary>Computes the hash of an entry with the given fields.</summary>
    public static byte[] Compute(
        ReadOnlySpan<byte> previous, StreamId stream, long sequence, DateTimeOffset at, string kind, int version, ReadOnlySpan<byte> payload)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(previous);
        AppendNumber(hash, sequence);
        AppendNumber(hash, at.ToUnixTimeMilliseconds());
        AppendNumber(hash, version);
        AppendText(hash, stream.Value);
        AppendText(hash, kind);
        AppendNumber(hash, payload.Length);
        hash.AppendData(payload);
        return hash.GetHashAndReset();
    }

    /// <summary>True when the entry's own hash is right and it follows <paramref name="previous"/>.</summary>
    public static bool Holds(Entry entry, ReadOnlySpan<byte> previous) =>
        entry.PreviousHash.Span.SequenceEqual(previous)
        && entry.Hash.Span.SequenceEqual(
            Compute(previous, entry.Stream, entry.Sequence, entry.At, entry.Kind, entry.Version, entry.Payload.Span));

    private static void AppendNumber(IncrementalHash hash, long value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        hash.AppendData(bytes);
    }

    private static void AppendText(IncrementalHash hash, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        AppendNumber(hash, bytes.Length);
        hash.AppendData(bytes);
    }
}
