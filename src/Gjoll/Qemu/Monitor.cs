using System.Buffers;
using System.Net.Sockets;
using System.Text.Json;
using Gjoll.Hosts;

namespace Gjoll.Qemu;

/// <summary>
/// One conversation with a QEMU over its machine protocol (QMP, see QEMU's docs/interop/qmp-spec). What answers may have been taken over by its guest:
/// lines are bounded, every answer has a deadline, and nothing in an answer is more than a word to compare. One command at a time.
/// </summary>
internal sealed class Monitor : IAsyncDisposable
{
    private const int LongestLine = 1 << 20;

    private readonly Socket _socket;
    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(LongestLine);
    private readonly HashSet<string> _events = new(StringComparer.Ordinal);
    private int _start;
    private int _end;

    private Monitor(Socket socket) => _socket = socket;

    /// <summary>Connects and negotiates. A socket that nobody listens on is a <see cref="GjollException"/>.</summary>
    public static async Task<Monitor> ConnectAsync(string folder, CancellationToken cancellationToken)
    {
        var monitor = new Monitor(await UnixSocket.ConnectAsync(folder, MachineFolder.MonitorSocket, cancellationToken));
        try
        {
            using var greeting = await monitor.ReadAsync(cancellationToken);
            if (!greeting.RootElement.TryGetProperty("QMP", out _))
            {
                throw new GjollException("QEMU's monitor did not greet.");
            }

            (await monitor.AskAsync("qmp_capabilities", null, cancellationToken)).Dispose();
            return monitor;
        }
        catch
        {
            await monitor.DisposeAsync();
            throw;
        }
    }

    public async Task RunAsync(string command, CancellationToken cancellationToken) => (await AskAsync(command, null, cancellationToken)).Dispose();

    public async Task RunAsync(string command, Action<Utf8JsonWriter> arguments, CancellationToken cancellationToken) =>
        (await AskAsync(command, arguments, cancellationToken)).Dispose();

    /// <summary>The document whose <c>return</c> is the answer. An error of QEMU is a <see cref="GjollException"/> with its class and text.</summary>
    public async Task<JsonDocument> AskAsync(string command, Action<Utf8JsonWriter>? arguments, CancellationToken cancellationToken)
    {
        try
        {
            await _socket.SendAsync(Compose(command, arguments), cancellationToken);
        }
        catch (SocketException failure)
        {
            throw Gone(failure);
        }

        while (true)
        {
            var answer = await ReadAsync(cancellationToken);
            if (answer.RootElement.TryGetProperty("return", out _))
            {
                return answer;
            }

            using (answer)
            {
                if (answer.RootElement.TryGetProperty("error", out var error))
                {
                    throw new GjollException($"QEMU refused {command}: {Printable.Of(Text(error, "desc"))}");
                }

                if (answer.RootElement.TryGetProperty("event", out var happened) && happened.ValueKind == JsonValueKind.String)
                {
                    Remember(happened.GetString()!);
                }
            }
        }
    }

    /// <summary>Waits until QEMU has reported an event of that name, now or earlier on this connection.</summary>
    public async Task WaitForEventAsync(string name, CancellationToken cancellationToken)
    {
        while (!_events.Remove(name))
        {
            using var message = await ReadAsync(cancellationToken);
            if (message.RootElement.TryGetProperty("event", out var happened) && happened.ValueKind == JsonValueKind.String)
            {
                Remember(happened.GetString()!);
            }
        }
    }

    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        ArrayPool<byte>.Shared.Return(_buffer);
        return ValueTask.CompletedTask;
    }

    private void Remember(string name)
    {
        if (_events.Count < 64)
        {
            _events.Add(name);
        }
    }

    private static ReadOnlyMemory<byte> Compose(string command, Action<Utf8JsonWriter>? arguments)
    {
        var text = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(text))
        {
            writer.WriteStartObject();
            writer.WriteString("execute", command);
            if (arguments is not null)
            {
                writer.WriteStartObject("arguments");
                arguments(writer);
                writer.WriteEndObject();
            }

            writer.WriteEndObject();
        }

        text.Write("\n"u8);
        return text.WrittenMemory;
    }

    private async Task<JsonDocument> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var line = _buffer.AsMemory(_start, _end - _start);
            if (line.Span.IndexOf((byte)'\n') is var length and >= 0)
            {
                _start += length + 1;
                try
                {
                    return JsonDocument.Parse(line[..length], new JsonDocumentOptions { MaxDepth = 16 });
                }
                catch (JsonException broken)
                {
                    throw new GjollException("QEMU's monitor sent something that is not JSON.", isTransient: false, broken);
                }
            }

            line.CopyTo(_buffer);
            (_start, _end) = (0, line.Length);
            if (_end == LongestLine)
            {
                throw new GjollException("QEMU's monitor sent a line without end.");
            }

            try
            {
                var read = await _socket.ReceiveAsync(_buffer.AsMemory(_end, LongestLine - _end), cancellationToken);
                _end += read > 0 ? read : throw Gone(null);
            }
            catch (SocketException failure)
            {
                throw Gone(failure);
            }
        }
    }

    private static GjollException Gone(SocketException? failure) =>
        new("QEMU's monitor closed the connection: the machine has ended.", isTransient: true, failure);

    private static string Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "without a reason";
}
