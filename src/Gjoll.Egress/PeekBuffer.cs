namespace Gjoll.Egress;

/// <summary>The first bytes of a connection, kept while they are judged. Reads no further than its capacity.</summary>
internal sealed class PeekBuffer(Stream stream, int capacity)
{
    private readonly byte[] buffer = new byte[capacity];
    private int length;

    public ReadOnlyMemory<byte> Seen => buffer.AsMemory(0, length);

    /// <summary>Reads what is there, at least a byte. False at the end of the stream.</summary>
    public async Task<bool> ReadMoreAsync(CancellationToken cancellationToken)
    {
        var read = await stream.ReadAsync(buffer.AsMemory(length), cancellationToken);
        length += read;
        return read > 0;
    }

    public void Drop(int count)
    {
        buffer.AsSpan(count, length - count).CopyTo(buffer);
        length -= count;
    }

    /// <summary>
    /// Reads to the end of a request head. The length of the head, 0 when the stream ended first, or a refusal as soon as it is certain.
    /// </summary>
    public async Task<(int Length, EgressRefusal? Refusal)> ReadHeadAsync(CancellationToken cancellationToken)
    {
        var scanned = 0;
        while (true)
        {
            var seen = Seen.Span;
            for (; scanned < seen.Length; scanned++)
            {
                if (seen[scanned] != (byte)'\n')
                {
                    continue;
                }

                if (scanned == 0 || seen[scanned - 1] != (byte)'\r')
                {
                    return (0, EgressRefusal.Malformed);
                }

                if (scanned >= 3 && seen[scanned - 2] == (byte)'\n')
                {
                    return scanned + 1 <= HttpHead.MaxBytes ? (scanned + 1, null) : (0, EgressRefusal.HeadTooLarge);
                }
            }

            if (length >= HttpHead.MaxBytes)
            {
                return (0, EgressRefusal.HeadTooLarge);
            }

            if (!await ReadMoreAsync(cancellationToken))
            {
                return (0, null);
            }
        }
    }

    /// <summary>Reads to the end of a TLS hello; what is short of one is not TLS.</summary>
    public async Task<ClientHello> ReadHelloAsync(CancellationToken cancellationToken)
    {
        var needed = 1;
        while (true)
        {
            while (length < needed)
            {
                if (length == capacity || !await ReadMoreAsync(cancellationToken))
                {
                    return new ClientHello.NotTls();
                }
            }

            var hello = ClientHello.Read(Seen.Span);
            if (hello is not ClientHello.Incomplete incomplete)
            {
                return hello;
            }

            needed = incomplete.Needed;
        }
    }
}
