using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Gjoll.Egress.Tests;

public sealed class EgressHostTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("eh");
    private readonly AuditRecorder audit = new();
    private readonly LogRecorder logs = new();

    private string Socket => Path.Combine(folder.FullName, "e.sock");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public async Task Socket_IsTheIdentityAndNeedsNoToken()
    {
        using var server = LabServer.Http("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi");
        await using var host = Start(Policy("ok.test") with { AllowedAddresses = [new AllowedAddress { Host = "ok.test", Address = $"127.0.0.1:{server.Port}" }] });

        var plain = await UnixClient.AskAsync(host.Socket, $"GET http://ok.test:{server.Port}/x HTTP/1.1\r\nHost: ok.test:{server.Port}\r\nProxy-Authorization: Bearer anything\r\n\r\n");

        Assert.EndsWith("hi", plain, StringComparison.Ordinal);
        Assert.DoesNotContain("anything", server.Received.ToString(), StringComparison.Ordinal);
        Assert.Equal((Admissions.Sandbox, new EgressDecision("egress", $"GET http://ok.test:{server.Port}/x", true, "allow ok.test")), (audit.Lines[0].Sandbox, audit.Single));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(host.Socket));
    }

    [Fact]
    public async Task Tunnel_LeadsToTheAllowedNameAndIsCutWhenTheHostEnds()
    {
        var reached = new TaskCompletionSource();
        using var server = LabServer.Raw(async stream =>
        {
            reached.SetResult();
            await stream.CopyToAsync(Stream.Null);
        });
        var host = Start(Policy("ok.test") with { AllowedAddresses = [new AllowedAddress { Host = "ok.test", Address = $"127.0.0.1:{server.Port}" }] });
        await using var guest = await UnixClient.ConnectAsync(host.Socket);
        await guest.WriteAsync(Encoding.ASCII.GetBytes($"CONNECT ok.test:{server.Port} HTTP/1.1\r\n\r\n"), TestContext.Current.CancellationToken);
        await guest.ReadExactlyAsync(new byte[39], TestContext.Current.CancellationToken);
        await guest.WriteAsync(Hello.For("ok.test"), TestContext.Current.CancellationToken);
        await reached.Task.WaitAsync(TestContext.Current.CancellationToken);

        await host.DisposeAsync();

        Assert.Empty(await EgressLab.ReadAllAsync(guest));
        Assert.False(File.Exists(Socket));
    }

    [Fact]
    public async Task EmptyPolicy_ReachesNothing()
    {
        await using var host = Start(new EgressPolicy());

        var answer = await UnixClient.AskAsync(host.Socket, "CONNECT ok.test:443 HTTP/1.1\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 403 ", answer, StringComparison.Ordinal);
        Assert.Contains("X-Gjoll-Rule: not-on-allow-list\r\n", answer, StringComparison.Ordinal);
        Assert.False(audit.Single.Allowed);
    }

    [Fact]
    public void InvalidOptions_AreRefusedWithEveryFaultBeforeAnythingListens()
    {
        var problem = Assert.Throws<EgressFaultException>(() => EgressHost.Start(
            new EgressHostOptions
            {
                Sandbox = "s",
                Socket = "relative/" + new string('x', 120),
                Policy = Policy("*.com", "10.0.0.1") with { AllowedAddresses = [new AllowedAddress { Host = "A", Address = "x" }] },
                Limits = new EgressOptions { MaxConnections = 0 },
            },
            audit,
            TimeProvider.System,
            logs));

        Assert.Equal(7, problem.Problems.Count);
        Assert.Empty(folder.GetFiles());
    }

    [Fact]
    public async Task Socket_ThatAKilledProcessLeftIsReplacedAndAServedOneIsNot()
    {
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            // A copy of the name outlives the socket, which takes its own name away when it ends.
            var first = Path.Combine(folder.FullName, "first");
            dead.Bind(new UnixDomainSocketEndPoint(first));
            File.Move(first, Socket);
        }

        await using var host = Start(Policy());

        Assert.Throws<IOException>(() => Start(Policy()));
        Assert.StartsWith("HTTP/1.1 403 ", await UnixClient.AskAsync(host.Socket, "CONNECT ok.test:443 HTTP/1.1\r\n\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public void File_InPlaceOfTheSocketIsKept()
    {
        File.WriteAllText(Socket, "somebody's work");

        Assert.Throws<IOException>(() => Start(Policy()));
        Assert.Equal("somebody's work", File.ReadAllText(Socket));
    }

    [Fact]
    public async Task Connections_AreBoundedAndTheRefusalIsTold()
    {
        await using var host = EgressHost.Start(
            new EgressHostOptions { Sandbox = "s", Socket = Socket, Policy = Policy(), Limits = new EgressOptions { MaxConnections = 1 } }, audit, Resolve, TimeProvider.System, logs);
        await using var first = await UnixClient.ConnectAsync(host.Socket);
        await using var second = await UnixClient.ConnectAsync(host.Socket);

        // Who comes first has the place; the other is told.
        var told = await Task.WhenAny(EgressLab.ReadAllAsync(first), EgressLab.ReadAllAsync(second));

        Assert.StartsWith("HTTP/1.1 503 ", await told, StringComparison.Ordinal);
        Assert.Equal("too-many-connections", audit.Single.Rule);
    }

    [Fact]
    public async Task Decisions_AreJsonLinesInAFileOfTheOwner()
    {
        var path = Path.Combine(folder.FullName, "egress.jsonl");
        await using (var journal = new EgressJournal(path, 1 << 20, new ManualTime()))
        {
            await using var host = EgressHost.Start(new EgressHostOptions { Sandbox = "s", Socket = Socket, Policy = Policy() }, journal, Resolve, TimeProvider.System, logs);
            await UnixClient.AskAsync(host.Socket, "CONNECT ok.test:443 HTTP/1.1\r\n\r\n");
        }

        using var line = JsonDocument.Parse(Assert.Single(await File.ReadAllLinesAsync(path, TestContext.Current.CancellationToken)));
        Assert.Equal(
            ["2026-03-04T05:06:07.000Z", "s", "egress", "CONNECT ok.test:443", "False", "not-on-allow-list"],
            line.RootElement.EnumerateObject().Select(property => property.Value.ToString()));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
    }

    private static EgressPolicy Policy(params string[] hosts) => new() { AllowedHosts = hosts };

    private static Task<IPAddress[]> Resolve(string host, CancellationToken cancellationToken) => Task.FromResult<IPAddress[]>([IPAddress.Loopback]);

    private EgressHost Start(EgressPolicy policy) => EgressHost.Start(
        new EgressHostOptions { Sandbox = Admissions.Sandbox, Socket = Socket, Policy = policy }, audit, Resolve, TimeProvider.System, logs);
}
