using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Gjoll.Cli.Terminal;
using Gjoll.Cli.Work;
using Gjoll.Environments;

namespace Gjoll.Cli.Verbs;

/// <summary><c>forward</c>: ports of this machine's loopback that lead to ports of the guest, until interrupted.</summary>
internal static class ForwardVerb
{
    private const int MaxConnections = 256;

    public static Command Build(Shell shell)
    {
        var name = Shell.Name();
        var ports = new Option<string[]>("-L") { Description = "HOST:GUEST, or one number for both; HOST 0 takes a free one (default: the environment's ports)", Arity = ArgumentArity.ZeroOrMore };
        return shell.Verb("forward", "Lead ports of this machine to ports of the guest", async call =>
        {
            var sandbox = await call.House.FindRunningAsync(call.Name(name), call.Cancellation);
            var environment = Doors.EnvironmentOf(call.House.Demand(sandbox.Name), call.House);
            IReadOnlyList<PortSection> wanted = call.Value(ports) is { Length: > 0 } said ? [.. said.Select(Parse)] : environment.Ports;
            if (wanted.Count == 0)
            {
                throw new VerbFailure(ExitCode.Usage, "gjoll forward: name ports with -L, or in the environment's 'ports'.");
            }

            await ServeAsync(call, sandbox, wanted, environment);
            return ExitCode.Ok;
        }, name, ports);
    }

    /// <summary>A door from the guest to the host, in words.</summary>
    public static string Describe(Forward forward) => forward switch
    {
        Forward.Tcp tcp => string.Create(CultureInfo.InvariantCulture, $"guest 127.0.0.1:{tcp.GuestPort} -> {tcp.HostSocket}"),
        Forward.Unix unix => $"guest {unix.GuestPath} -> {unix.HostSocket}",
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static PortSection Parse(string text)
    {
        var parts = text.Split(':');
        return parts.Length is 1 or 2
            && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var host) && host <= ushort.MaxValue
            && int.TryParse(parts[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var guest) && guest is >= 1 and <= ushort.MaxValue
                ? new PortSection(host, guest)
                : throw new VerbFailure(ExitCode.Usage, $"gjoll forward: '{TerminalText.Line(text, 60)}' is not HOST:GUEST with ports from 1 to 65535.");
    }

    private static async Task ServeAsync(Call call, ISandbox sandbox, IReadOnlyList<PortSection> wanted, SandboxEnvironment environment)
    {
        var listeners = new List<(TcpListener Listener, int Guest)>();
        try
        {
            foreach (var port in wanted)
            {
                listeners.Add((Listen(port.Host), port.Guest));
            }

            var open = listeners.Select(pair => new { host = ((IPEndPoint)pair.Listener.LocalEndpoint).Port, guest = pair.Guest }).ToList();
            var doors = environment.ToSpec(sandbox.Name).Forwards.Select(Describe).ToList();
            call.Speaker.Data(new { name = sandbox.Name.Value, ports = open, forwards = doors }, writer =>
            {
                open.ForEach(port => writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port.host} -> guest 127.0.0.1:{port.guest}")));
                doors.ForEach(writer.WriteLine);
            });
            await call.Speaker.Output.FlushAsync(call.Cancellation);
            using var slots = new SemaphoreSlim(MaxConnections);
            await Task.WhenAll(listeners.Select(pair => AcceptAsync(call, sandbox, pair.Listener, pair.Guest, slots)));
        }
        finally
        {
            listeners.ForEach(pair => pair.Listener.Dispose());
        }
    }

    private static TcpListener Listen(int port)
    {
        var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return listener;
        }
        catch (SocketException taken)
        {
            listener.Dispose();
            throw new VerbFailure(ExitCode.Refused, $"Port {port} of this machine cannot be had: {taken.Message}.");
        }
    }

    private static async Task AcceptAsync(Call call, ISandbox sandbox, TcpListener listener, int guestPort, SemaphoreSlim slots)
    {
        var running = new HashSet<Task>();
        try
        {
            while (true)
            {
                await slots.WaitAsync(call.Cancellation);
                var client = await listener.AcceptTcpClientAsync(call.Cancellation);
                running.RemoveWhere(task => task.IsCompleted);
                running.Add(CarryAsync(call, sandbox, client, guestPort, slots));
            }
        }
        finally
        {
            await Task.WhenAll(running);
        }
    }

    private static async Task CarryAsync(Call call, ISandbox sandbox, TcpClient client, int guestPort, SemaphoreSlim slots)
    {
        using var socket = client;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(call.Cancellation);
        try
        {
            client.NoDelay = true;
            await using var guest = await sandbox.ConnectAsync(guestPort, end.Token);
            var host = client.GetStream();
            await Task.WhenAll(InAsync(host, guest, end), OutAsync(guest, host, client.Client, end));
        }
        catch (GjollException refused)
        {
            call.Speaker.Say(refused.Message);
        }
        catch (Exception cut) when (cut is IOException or SocketException or OperationCanceledException)
        {
            // One side is gone; so is the other with this.
        }
        finally
        {
            slots.Release();
        }
    }

    private static async Task InAsync(NetworkStream host, GuestConnection guest, CancellationTokenSource end)
    {
        try
        {
            await host.CopyToAsync(guest, end.Token);
            await guest.EndWritingAsync(end.Token);
        }
        catch (IOException)
        {
            await end.CancelAsync();
            throw;
        }
    }

    private static async Task OutAsync(GuestConnection guest, NetworkStream host, Socket socket, CancellationTokenSource end)
    {
        try
        {
            await guest.CopyToAsync(host, end.Token);
            socket.Shutdown(SocketShutdown.Send);
        }
        catch (IOException)
        {
            await end.CancelAsync();
            throw;
        }
    }
}
