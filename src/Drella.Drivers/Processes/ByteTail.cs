using System.Text;

namespace Drella.Drivers.Processes;

/// <summary>Keeps the last bytes of a stream.</summary>
internal sealed class ByteTail(int capacity)
{
    private readonly Lock _lock = new();
    private readonly byte[] _ring = new byte[capacity];
    private long _written;

    public async Task DrainAsync(Stream stream, CancellationToken cancellationToken)
    {
        var buffer = new byte[8 * 1024];
        int read;
        while ((read = await stream.ReadAsync(buffer, cancellationToken)) > 0)
        {
            lock (_lock)
            {
                foreach (var value in buffer.AsSpan(0, read))
                {
                    _ring[_written++ % capacity] = value;
                }
            }
        }
    }

    /// <summary>The tail as text, without control characters but line ends and tabs.</summary>
    public override string ToString()
    {
        lock (_lock)
        {
            var length = (int)Math.Min(_written, capacity);
            var bytes = new byte[length];
            for (var i = 0; i < length; i++)
            {
                bytes[i] = _ring[(_written - length + i) % capacity];
            }

            var text = new StringBuilder(length);
            foreach (var c in Encoding.UTF8.GetString(bytes).Trim())
            {
                text.Append(char.IsControl(c) && c is not ('\n' or '\t') ? '\uFFFD' : c);
            }

            return text.ToString();
        }
    }
}
