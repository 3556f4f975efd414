using Gjoll.Egress.Serving;
using Microsoft.Extensions.Logging;

namespace Gjoll.Egress;

/// <summary>
/// The egress proxy of one sandbox on a unix socket of its own, without a factory around it. There is no token: the socket says who calls.
/// Serves from <see cref="Start"/> until disposed, when every connection is cut and the socket removed.
/// </summary>
public sealed class EgressHost : IAsyncDisposable
{
    private readonly CancellationTokenSource ending = new();
    private readonly ConnectionLoop loop;

    private EgressHost(EgressHostOptions options, IEgressAudit audit, ResolveHost? resolve, TimeProvider time, ILoggerFactory loggers)
    {
        Socket = options.Socket;
        var limits = Merge(options);
        var logger = loggers.CreateLogger<EgressProxy>();
        var proxy = resolve is null
            ? new EgressProxy(limits, audit, Word, time, logger)
            : new EgressProxy(limits, audit, resolve, Word, time, logger);
        var admission = new SocketAdmission(options.Policy.AllowedHosts, ending.Token);

        // One place more than the proxy gives away, so that the refusal of one too many can be told and written down.
        loop = new ConnectionLoop(
            options.Socket,
            limits.MaxConnections + 1,
            (stream, cancellationToken) => proxy.ServeAsync(stream, () => admission, options.Sandbox, cancellationToken),
            time,
            loggers.CreateLogger<ConnectionLoop>());
        File.SetUnixFileMode(options.Socket, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    /// <summary>The product's name in what a guest is told.</summary>
    internal const string Word = "Gjoll";

    public string Socket { get; }

    /// <summary>
    /// Listens. Throws <see cref="EgressFaultException"/> with everything that is wrong with the options, and <see cref="IOException"/> when
    /// the socket is served by somebody else. A socket that a killed process left behind is replaced.
    /// </summary>
    public static EgressHost Start(EgressHostOptions options, IEgressAudit audit, TimeProvider time, ILoggerFactory loggers) =>
        Start(options, audit, null, time, loggers);

    internal static EgressHost Start(EgressHostOptions options, IEgressAudit audit, ResolveHost? resolve, TimeProvider time, ILoggerFactory loggers)
    {
        string[] problems =
        [
            .. SocketPath.Problems(options.Socket),
            .. EgressPolicy.Validate(options.Policy),
            .. new EgressOptionsCheck().Validate(null, options.Limits).Failures ?? [],
        ];
        if (problems.Length > 0)
        {
            throw new EgressFaultException(problems);
        }

        SocketPath.Clear(options.Socket);
        return new EgressHost(options, audit, resolve, time, loggers);
    }

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        await loop.DisposeAsync();
        File.Delete(Socket);
        ending.Dispose();
    }

    private static EgressOptions Merge(EgressHostOptions options) => new()
    {
        TunnelPorts = [.. options.Limits.TunnelPorts],
        PlainPorts = [.. options.Limits.PlainPorts],
        PlainMethods = [.. options.Limits.PlainMethods],
        AllowedAddresses = [.. options.Limits.AllowedAddresses, .. options.Policy.AllowedAddresses],
        MaxConnections = options.Limits.MaxConnections,
        HeadTimeout = options.Limits.HeadTimeout,
        DialTimeout = options.Limits.DialTimeout,
        IdleTimeout = options.Limits.IdleTimeout,
        MaxUploadBytes = options.Limits.MaxUploadBytes,
        MaxDownloadBytes = options.Limits.MaxDownloadBytes,
    };

    private sealed class SocketAdmission(IReadOnlyList<string> hosts, CancellationToken ended) : IEgressAdmission
    {
        public IReadOnlyList<string> AllowedHosts => hosts;

        public bool NeedsToken => false;

        public CancellationToken Ended => ended;

        public bool Accepts(ReadOnlySpan<char> shown) => !ended.IsCancellationRequested;
    }
}
