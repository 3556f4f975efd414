using System.Net;
using System.Net.Sockets;
using Gjoll.Egress.Proxies;

namespace Gjoll.Egress.Tests.Proxies;

/// <summary>Named proxies on real sockets, with targets on loopback.</summary>
internal sealed class ProxyLab : IAsyncDisposable
{
    public const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi";

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("px");
    private readonly List<IDisposable> owned = [];
    private HostProxies? proxies;

    public AuditRecorder Audit { get; } = new();

    public LogRecorder Logs { get; } = new();

    public ManualTime Time { get; } = new();

    public Dictionary<string, string> Environment { get; } = [];

    public Dictionary<string, string[]> Names { get; } = new() { ["api.test"] = ["127.0.0.1"], ["token.test"] = ["127.0.0.1"] };

    public TimeSpan HeadTimeout { get; set; } = TimeSpan.FromSeconds(10);

    public LabServer Own(LabServer server)
    {
        owned.Add(server);
        return server;
    }

    /// <summary>A proxy without credential to a server of the lab, over plain HTTP.</summary>
    public ProxyDefinition To(LabServer server)
    {
        Own(server);
        return new ProxyDefinition
        {
            Name = "api",
            Port = 18080,
            Target = $"http://api.test:{server.Port}",
            Addresses = [$"127.0.0.1:{server.Port}"],
            Allow = [new ProxyRule(["GET", "POST", "PUT", "HEAD"], "/v1/**"), new ProxyRule(["GET"], "/models/*:run")],
        };
    }

    public string Write(string name, string text)
    {
        var path = Path.Combine(folder.FullName, name);
        File.WriteAllText(path, text);
        return path;
    }

    public async Task StartAsync(params ProxyDefinition[] definitions) => proxies = await HostProxies.StartAsync(
        new HostProxiesOptions
        {
            Sandbox = Admissions.Sandbox,
            Folder = folder.FullName,
            Proxies = definitions,
            Environment = name => Environment.GetValueOrDefault(name),
            HeadTimeout = HeadTimeout,
        },
        Audit,
        ResolveAsync,
        Time,
        Logs,
        TestContext.Current.CancellationToken);

    public string Socket(string name = "api") => proxies!.Sockets[name];

    public Task<string> AskAsync(string request) => UnixClient.AskAsync(Socket(), request);

    public Task<string> GetAsync(string path = "/v1/x", string fields = "") =>
        AskAsync($"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:18080\r\nConnection: close\r\n{fields}\r\n");

    public Task<string> PostAsync(string body, string path = "/v1/x", string fields = "") =>
        AskAsync($"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:18080\r\nConnection: close\r\nContent-Length: {body.Length}\r\n{fields}\r\n{body}");

    public async ValueTask DisposeAsync()
    {
        if (proxies is not null)
        {
            await proxies.DisposeAsync();
        }

        owned.ForEach(one => one.Dispose());
        folder.Delete(recursive: true);
    }

    private Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken) => Names.TryGetValue(host, out var addresses)
        ? Task.FromResult<IPAddress[]>([.. addresses.Select(IPAddress.Parse)])
        : throw new SocketException((int)SocketError.HostNotFound);
}
