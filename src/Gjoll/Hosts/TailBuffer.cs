using System.Text;

namespace Gjoll.Hosts;

/// <summary>Keeps the last bytes of a stream that may never end.</summary>
internal sealed class TailBuffer(int capacity)
{
    private readonly byte[] _ring = new byte[capacity];
    private readonly Lock _gate = new();

    public long Total { get; private set; }

    public async Task ReadAllAsync(Stream stream, CancellationToken cancellationToken)
    {
        var buffer = new byte[16 * 1024];
        int read;
        while ((read = await stream.ReadAsync(buffer, cancellationToken)) > 0)
        {
            Append(buffer.AsSpan(0, read));
        }
    }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            var kept = bytes.Length > capacity ? bytes[^capacity..] : bytes;
            var start = (int)((Total + bytes.Length - kept.Length) % capacity);
            var first = Math.Min(kept.Length, capacity - start);
            kept[..first].CopyTo(_ring.AsSpan(start));
            kept[first..].CopyTo(_ring);
            Total += bytes.Length;
        }
    }

    public byte[] ToArray()
    {
        lock (_gate)
        {
            if (Total <= capacity)
            {
                return _ring[..(int)Total];
            }

            var start = (int)(Total % capacity);
            return [.. _ring.AsSpan(start), .. _ring.AsSpan(0, start)];
        }
    }

    public override string ToString() => Encoding.UTF8.GetString(ToArray());
}
