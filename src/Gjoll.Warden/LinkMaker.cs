using System.Net.Sockets;
using Gjoll.Wire;

namespace Gjoll.Warden;

/// <summary>Greets whoever is at the other end of a connection until it has proved that it is the guest.</summary>
internal sealed class LinkMaker(WardenOptions options, TimeProvider time)
{
    private const int MaxPatience = 8;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>Returns when the guest has proved the key, with what it sent after that still in the parser. Nothing else it says until then is looked at.</summary>
    /// <exception cref="WireException">The key cannot be read.</exception>
    /// <exception cref="IOException">The connection ended.</exception>
    public async Task GreetAsync(Stream stream, FrameParser parser, Action<string> report, CancellationToken cancellationToken)
    {
        var waits = 1;
        Task<int>? reading = null;
        while (true)
        {
            // A greeting is answered only if it is the last: answers to earlier ones do not hold for its nonce. So there is no doubt which handshake is meant,
            // however many greetings waited for a guest that was slow to start.
            var nonce = Handshake.Nonce();
            await stream.WriteAsync(FrameWriter.Make(FrameKind.Hello, 0, Handshake.Hello(nonce)), cancellationToken);
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var wait = Task.Delay(Patience * waits, time, patience.Token);
            waits = Math.Min(waits * 2, MaxPatience);
            while (true)
            {
                reading ??= stream.ReadAsync(parser.Free(), cancellationToken).AsTask();
                if (await Task.WhenAny(reading, wait) == wait)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    break;
                }

                var count = await reading;
                reading = null;
                if (count == 0)
                {
                    throw new IOException("the guest's end of the link is closed");
                }

                parser.Advance(count);
                if (FindWelcome(parser, nonce, report) is { } proof)
                {
                    await patience.CancelAsync();
                    await stream.WriteAsync(FrameWriter.Make(FrameKind.Proof, 0, proof), cancellationToken);
                    return;
                }
            }

            report("the guest does not answer");
            // What was taken for a long frame may never be whole.
            parser.Skip();
        }
    }

    private byte[]? FindWelcome(FrameParser parser, byte[] nonce, Action<string> report)
    {
        while (true)
        {
            try
            {
                if (!parser.TryRead(out var frame))
                {
                    return null;
                }

                if (frame is { Kind: FrameKind.Welcome, Channel: 0 } && Prove(frame.Payload.Span, nonce, report) is { } proof)
                {
                    return proof;
                }
            }
            catch (WireException)
            {
                // The end of what was said to an earlier warden; the answer may lie behind it.
                parser.Skip();
            }
        }
    }

    private byte[]? Prove(ReadOnlySpan<byte> welcome, byte[] nonce, Action<string> report)
    {
        foreach (var file in (string[])[options.Key, options.Key + ".next"])
        {
            if (ReadKey(file) is { } key)
            {
                try
                {
                    return Handshake.Proof(key, nonce, Handshake.ReadWelcome(welcome, key, nonce));
                }
                catch (WireException refused)
                {
                    report(refused.Message);
                }
            }
        }

        return null;
    }

    // Read anew each time: it changes while the sandbox lives.
    private static byte[]? ReadKey(string file)
    {
        try
        {
            var key = File.ReadAllBytes(file);
            return key.Length == Handshake.KeySize ? key : null;
        }
        catch (Exception absent) when (absent is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
