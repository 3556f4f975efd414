using Drella.Core.Jobs;
using Drella.Core.Sandboxes;
using Gjoll.Egress.Serving;
using Microsoft.Extensions.Logging;

namespace Drella.Gateway.Doors;

/// <summary>The open doors of one sandbox and who is admitted through them.</summary>
internal sealed class SandboxDoors : IAsyncDisposable
{
    private readonly Lock gate = new();
    private readonly TimeProvider time;
    private readonly BareServer http;
    private readonly ConnectionLoop egress;
    private Admission? admission;
    private CancellationTokenSource? ending;
    private long lastBeat;

    private SandboxDoors(string folder, SandboxName sandbox, DoorSet behind, GatehouseOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        this.time = time;
        Folder = folder;
        Sockets = new Core.Sandboxes.Doors(Path.Combine(folder, "m"), Path.Combine(folder, "e"), Path.Combine(folder, "t"));
        http = new BareServer(
            (kestrel, route) =>
            {
                kestrel.Limits.MaxConcurrentConnections = options.MaxConnections;
                kestrel.Limits.MaxRequestBodySize = options.MaxBodyBytes;
                kestrel.Limits.MaxRequestHeaderCount = 100;
                kestrel.ListenUnixSocket(Sockets.ModelSocket, at => route(at, context => behind.Model(context, sandbox, Current, Beat)));
                kestrel.ListenUnixSocket(Sockets.ToolSocket, at => route(at, context => behind.Tools(context, sandbox, Current)));
            },
            loggers);
        egress = new ConnectionLoop(
            Sockets.EgressSocket,
            options.MaxConnections,
            (stream, cancellationToken) => behind.Egress(stream, Current, sandbox, cancellationToken),
            time,
            loggers.CreateLogger<ConnectionLoop>());
    }

    public string Folder { get; }

    public Core.Sandboxes.Doors Sockets { get; }

    public DateTimeOffset? LastModelActivity => Interlocked.Read(ref lastBeat) is > 0 and var ticks ? new DateTimeOffset(ticks, TimeSpan.Zero) : null;

    public static async Task<SandboxDoors> OpenAsync(
        string folder, SandboxName sandbox, DoorSet behind, GatehouseOptions options, TimeProvider time, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        if (OperatingSystem.IsWindows())
        {
            throw new PlatformNotSupportedException("The doors are unix sockets with file modes.");
        }

        // What a killed daemon left behind would make bind fail.
        Delete(folder);
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var doors = new SandboxDoors(folder, sandbox, behind, options, time, loggers);
        try
        {
            await doors.http.StartAsync(cancellationToken);
            foreach (var socket in new[] { doors.Sockets.ModelSocket, doors.Sockets.EgressSocket, doors.Sockets.ToolSocket })
            {
                File.SetUnixFileMode(socket, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }

            options.Prepared?.Invoke(folder);
            return doors;
        }
        catch
        {
            await doors.DisposeAsync();
            throw;
        }
    }

    public static void Delete(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    public void Admit(Assignment assignment, EgressPolicy egressPolicy, ModelPolicy model, string token)
    {
        var next = new CancellationTokenSource();
        Replace(new Admission(assignment, egressPolicy, model, token, next.Token), next);
    }

    public void Dismiss() => Replace(null, null);

    public async ValueTask DisposeAsync()
    {
        Dismiss();
        await egress.DisposeAsync();
        await http.DisposeAsync();
        Delete(Folder);
    }

    private Admission? Current() => Volatile.Read(ref admission);

    private void Beat() => Interlocked.Exchange(ref lastBeat, time.GetUtcNow().UtcTicks);

    private void Replace(Admission? next, CancellationTokenSource? nextEnding)
    {
        CancellationTokenSource? old;
        lock (gate)
        {
            old = ending;
            ending = nextEnding;
            Volatile.Write(ref admission, next);
        }

        // Outside the lock: what is cut may run on this thread. Not disposed: calls under way still link to it.
        old?.Cancel();
    }
}
