using System.Buffers;
using System.Net.Sockets;
using System.Text.Json;
using Gjoll.Hosts;

namespace Gjoll.Qemu;

/// <summary>
/// Saves and loads what a machine is at one moment: QEMU's migration, to and from a file of the host. The stream goes through a socket, because a jailed
/// QEMU may neither start a program nor open a file outside of its folder.
/// </summary>
internal static class MachineState
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(2);

    /// <summary>The machine must be stopped, and stays so. With shared memory the memory is already in its file and is left out.</summary>
    /// <param name="limit">Bytes; a machine that sends more is refused.</param>
    public static async Task SaveAsync(
        Monitor monitor, string folder, uint? owner, bool memoryIsShared, string file, long limit, TimeProvider time, CancellationToken cancellationToken)
    {
        await ConfigureAsync(monitor, memoryIsShared, cancellationToken);
        using var listener = UnixSocket.Listen(folder, MachineFolder.StateSocket, backlog: 1);
        if (owner is { } user)
        {
            Native.ChangeOwner(Path.Combine(folder, MachineFolder.StateSocket), user, user);
        }

        await monitor.RunAsync("migrate", json => json.WriteString("uri", "unix:" + JailPaths.State), cancellationToken);
        using (var socket = await listener.AcceptAsync(cancellationToken))
        {
            await using var target = new FileStream(file, new FileStreamOptions
            {
                Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
            await ReceiveAsync(socket, target, limit, cancellationToken);
        }

        File.Delete(Path.Combine(folder, MachineFolder.StateSocket));
        await WaitAsync(monitor, "query-migrate", "completed", ["failed", "cancelled"], time, cancellationToken);
    }

    /// <summary>The machine must have been started to wait for a state; it is stopped afterwards.</summary>
    public static async Task LoadAsync(Monitor monitor, string folder, bool memoryIsShared, string file, TimeProvider time, CancellationToken cancellationToken)
    {
        await ConfigureAsync(monitor, memoryIsShared, cancellationToken);
        await monitor.RunAsync("migrate-incoming", json => json.WriteString("uri", "unix:" + JailPaths.State), cancellationToken);
        using (var socket = await UnixSocket.ConnectAsync(folder, MachineFolder.StateSocket, cancellationToken))
        {
            await using var source = File.OpenRead(file);
            await using var stream = new NetworkStream(socket);
            try
            {
                await source.CopyToAsync(stream, 1 << 20, cancellationToken);
            }
            catch (IOException failure)
            {
                throw new GjollException("QEMU did not take the saved state: it is of another machine.", isTransient: false, failure);
            }
        }

        await WaitAsync(monitor, "query-migrate", "completed", ["failed", "cancelled"], time, cancellationToken);
        File.Delete(Path.Combine(folder, MachineFolder.StateSocket));
    }

    private static async Task ConfigureAsync(Monitor monitor, bool memoryIsShared, CancellationToken cancellationToken)
    {
        await monitor.RunAsync(
            "migrate-set-capabilities",
            json =>
            {
                json.WriteStartArray("capabilities");
                json.WriteStartObject();
                json.WriteString("capability", "x-ignore-shared");
                json.WriteBoolean("state", memoryIsShared);
                json.WriteEndObject();
                json.WriteEndArray();
            },
            cancellationToken);
        // Bytes a second: this is a copy on one machine, not a network that others use.
        await monitor.RunAsync("migrate-set-parameters", json => json.WriteNumber("max-bandwidth", 1L << 40), cancellationToken);
    }

    private static async Task ReceiveAsync(Socket socket, FileStream target, long limit, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(1 << 20);
        try
        {
            int read;
            while ((read = await socket.ReceiveAsync(buffer, cancellationToken)) > 0)
            {
                // What else the machine may save besides its memory is as bounded as it is.
                if (target.Position + read > limit)
                {
                    throw new GjollException("The saved state of the machine is larger than its memory allows.");
                }

                await target.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async Task WaitAsync(Monitor monitor, string question, string wanted, string[] bad, TimeProvider time, CancellationToken cancellationToken)
    {
        while (true)
        {
            using (var answer = await monitor.AskAsync(question, null, cancellationToken))
            {
                var status = answer.RootElement.GetProperty("return").TryGetProperty("status", out var text) && text.ValueKind == JsonValueKind.String ? text.GetString() : null;
                if (status == wanted)
                {
                    return;
                }

                if (bad.Contains(status))
                {
                    throw new GjollException($"The machine's state could not be carried over: {status}.");
                }
            }

            await Task.Delay(Poll, time, cancellationToken);
        }
    }
}
