using System.Net;
using System.Text;
using Gjoll.Egress.Serving;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Gjoll.Egress.Proxies;

/// <summary>
/// The named proxies of one sandbox, each on a unix socket of its own: the socket says who calls, so there is no token. Serve from
/// <see cref="StartAsync(HostProxiesOptions, IEgressAudit, TimeProvider, ILoggerFactory, CancellationToken)"/> until disposed, when calls
/// under way are cut and the sockets removed.
/// </summary>
public sealed class HostProxies : IAsyncDisposable
{
    private readonly List<NamedProxy> proxies = [];
    private readonly List<BareServer> servers = [];
    private readonly Dictionary<string, string> sockets = new(StringComparer.Ordinal);

    private HostProxies()
    {
    }

    /// <summary>Socket of each proxy, by its name.</summary>
    public IReadOnlyDictionary<string, string> Sockets => sockets;

    /// <summary>
    /// Looks whether every credential is there, and listens. Throws <see cref="EgressFaultException"/> with everything that is wrong, and
    /// <see cref="IOException"/> when a socket is served by somebody else. Nothing is left behind then.
    /// </summary>
    public static Task<HostProxies> StartAsync(
        HostProxiesOptions options, IEgressAudit audit, TimeProvider time, ILoggerFactory loggers, CancellationToken cancellationToken) =>
        StartAsync(options, audit, Dns.GetHostAddressesAsync, time, loggers, cancellationToken);

    internal static async Task<HostProxies> StartAsync(
        HostProxiesOptions options, IEgressAudit audit, ResolveHost resolve, TimeProvider time, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var faults = new List<string>(ProxyDefinition.Validate(options.Proxies));
        faults.AddRange(options.Proxies.SelectMany(proxy => SocketPath.Problems(PathOf(options, proxy))));
        if (faults.Count > 0)
        {
            throw new EgressFaultException(faults);
        }

        var started = new HostProxies();
        try
        {
            var recorder = new DecisionRecorder(audit, time, loggers.CreateLogger<HostProxies>());
            var clients = new TargetClient(resolve, time);
            foreach (var definition in options.Proxies)
            {
                await started.AddAsync(definition, options, recorder, clients, time, loggers, faults, cancellationToken);
            }

            if (faults.Count > 0)
            {
                throw new EgressFaultException(faults);
            }

            foreach (var proxy in started.proxies)
            {
                await started.ListenAsync(proxy, options, loggers, cancellationToken);
            }

            return started;
        }
        catch
        {
            await started.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in servers)
        {
            await server.DisposeAsync();
        }

        foreach (var socket in sockets.Values)
        {
            File.Delete(socket);
        }

        proxies.ForEach(proxy => proxy.Dispose());
    }

    private static string PathOf(HostProxiesOptions options, ProxyDefinition proxy) => Path.Combine(options.Folder, proxy.Name + ".sock");

    private async Task AddAsync(
        ProxyDefinition definition, HostProxiesOptions options, DecisionRecorder recorder, TargetClient clients, TimeProvider time,
        ILoggerFactory loggers, List<string> faults, CancellationToken cancellationToken)
    {
        try
        {
            var proxy = new NamedProxy(
                definition, options.Sandbox, Injector(definition.Credential, options, clients, time), clients, recorder, time, loggers.CreateLogger<NamedProxy>());
            proxies.Add(proxy);
            await proxy.CheckAsync(cancellationToken);
        }
        catch (CredentialException problem)
        {
            faults.Add($"proxy '{definition.Name}': {problem.Message}");
        }
    }

    private async Task ListenAsync(NamedProxy proxy, HostProxiesOptions options, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var path = PathOf(options, proxy.Definition);
        SocketPath.Clear(path);
        var server = new BareServer(
            (kestrel, route) =>
            {
                Bound(kestrel, proxy.Definition, options.HeadTimeout);
                kestrel.ListenUnixSocket(path, at => route(at, proxy.HandleAsync));
            },
            loggers);
        servers.Add(server);
        sockets[proxy.Definition.Name] = path;
        await server.StartAsync(cancellationToken);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    private static void Bound(KestrelServerOptions kestrel, ProxyDefinition definition, TimeSpan headTimeout)
    {
        kestrel.Limits.MaxConcurrentConnections = definition.MaxConnections;
        kestrel.Limits.MaxRequestBodySize = definition.MaxRequestBytes;
        kestrel.Limits.MaxRequestHeaderCount = 100;
        kestrel.Limits.MaxRequestHeadersTotalSize = 32 * 1024;
        kestrel.Limits.RequestHeadersTimeout = headTimeout;

        // Bytes go through as they are, whatever they stand for.
        kestrel.RequestHeaderEncodingSelector = _ => Encoding.Latin1;
        kestrel.ResponseHeaderEncodingSelector = _ => Encoding.Latin1;
    }

    private static IInjector Injector(ProxyCredential credential, HostProxiesOptions options, TargetClient clients, TimeProvider time) => credential switch
    {
        ProxyCredential.Static one => HeaderInjector.Once(one, options.Environment),
        ProxyCredential.Renewed one => HeaderInjector.Renewed(one),
        ProxyCredential.GoogleAdc one => new GoogleInjector(new GoogleTokens(one, options.Environment, clients, time)),
        ProxyCredential.AwsSigV4 one => new AwsInjector(one, options.Environment, time),
        _ => new NoInjector(),
    };
}
