using System.Net.Sockets;
using System.Text;
using Drella.Core.Jobs;
using Drella.Core.Sandboxes;
using Drella.Gateway.Doors;
using Drella.Gateway.Models;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drella.Gateway.Tests.Doors;

/// <summary>A gatehouse on real sockets in a folder of its own, with one open sandbox.</summary>
internal sealed class House : IAsyncDisposable
{
    public const string Key = "host-key-canary-4711";
    public static readonly SandboxName Name = new("j0123456789ab-1");
    public static readonly Assignment Producer = new(new JobId("j0123456789ab"), 1, 1, "producer");
    public static readonly ModelPolicy Policy = new(["claude-sonnet-4-5"], 1000);
    private readonly string folder = Path.Combine(Path.GetTempPath(), "d" + Path.GetRandomFileName()[..6]);

    private House(IModelUpstream upstream, ModelOptions? options, long limit)
    {
        Ledger = new FakeLedger(limit);
        Gatehouse = GatewayRegistration.ModelsOnly(
            new GatehouseOptions { Folder = folder }, options ?? new ModelOptions { Tries = 1 }, upstream, Ledger, Audit, TimeProvider.System, NullLoggerFactory.Instance);
    }

    public Gatehouse Gatehouse { get; }

    public FakeLedger Ledger { get; }

    public FakeAudit Audit { get; } = new();

    public string Folder => folder;

    public string Token { get; private set; } = "";

    public Core.Sandboxes.Doors Sockets { get; private set; } = null!;

    public static async Task<House> OpenAsync(IModelUpstream upstream, ModelOptions? options = null, long limit = 1_000_000_000)
    {
        var house = new House(upstream, options, limit);
        house.Sockets = await house.Gatehouse.OpenAsync(Name, TestContext.Current.CancellationToken);
        house.Token = house.Gatehouse.Admit(Name, Producer, EgressPolicy.Nothing, Policy);
        return house;
    }

    public static HttpClient Client(string socket) => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancellationToken) =>
        {
            var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellationToken);
            return new NetworkStream(connection, ownsSocket: true);
        },
    })
    { BaseAddress = new Uri("http://localhost") };

    public async Task<HttpResponseMessage> PostAsync(string body, string? token = null, string path = "/v1/messages", params (string Name, string Value)[] headers)
    {
        var client = Client(Sockets.ModelSocket);
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.TryAddWithoutValidation("authorization", "Bearer " + (token ?? Token));
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await Gatehouse.DisposeAsync();
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
