using System.Net.Sockets;
using System.Text;
using Drella.Core.Jobs;
using Drella.Core.Sandboxes;
using Drella.Gateway.Doors;
using Drella.Gateway.Models;
using Drella.Gateway.Tests.Tools;
using Drella.Gateway.Tools;
using Gjoll.Egress;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using EgressPolicy = Drella.Core.Sandboxes.EgressPolicy;

namespace Drella.Gateway.Tests;

public sealed class GatewayRegistrationTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("gate");
    private readonly DoorAuditRecorder audit = new();
    private readonly DeskOnPaper desk = new();

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public async Task Sockets_LeadToTheDoorsAndTheTokenOfOneSandboxIsWorthNothingAtAnother()
    {
        await using var gatehouse = Full(new EgressOptions());
        var first = new SandboxName("j0123456789ab-1");
        var second = new SandboxName("jba9876543210-1");
        var doors = await gatehouse.OpenAsync(first, TestContext.Current.CancellationToken);
        var others = await gatehouse.OpenAsync(second, TestContext.Current.CancellationToken);
        var token = Admit(gatehouse, first);
        Admit(gatehouse, second);

        Assert.StartsWith("HTTP/1.1 200 ", await CallAsync(doors, token), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 401 ", await CallAsync(others, token), StringComparison.Ordinal);
        Assert.Contains("X-Drella-Rule: not-on-allow-list", await ConnectAsync(doors, token), StringComparison.Ordinal);
        Assert.Contains("X-Drella-Rule: bad-token", await ConnectAsync(others, token), StringComparison.Ordinal);

        gatehouse.Dismiss(first);

        Assert.StartsWith("HTTP/1.1 401 ", await CallAsync(doors, token), StringComparison.Ordinal);
        Assert.Contains("X-Drella-Rule: not-admitted", await ConnectAsync(doors, token), StringComparison.Ordinal);
        Assert.Single(desk.Calls);
        Assert.Equal(
            [(first, "not-on-allow-list"), (first, "not-admitted"), (first, "not-admitted"), (second, "token"), (second, "bad-token")],
            audit.Lines.Select(line => (line.Sandbox, line.Decision.Rule)).OrderBy(line => line.Sandbox.Value, StringComparer.Ordinal));
    }

    [Fact]
    public void BadEgressOptions_AreRefusedWithEveryFault()
    {
        var problem = Assert.Throws<OptionsValidationException>(() => Full(new EgressOptions { TunnelPorts = [0], MaxConnections = 0 }));

        Assert.Equal(2, problem.Failures.Count());
    }

    private Gatehouse Full(EgressOptions egress) => GatewayRegistration.Full(
        new GatewayOptions(new GatehouseOptions { Folder = folder.FullName }, new ModelOptions(), egress, new ToolsOptions()),
        null!, null!, desk, audit, TimeProvider.System, NullLoggerFactory.Instance);

    private static string Admit(Gatehouse gatehouse, SandboxName sandbox) => gatehouse.Admit(
        sandbox, new Assignment(new JobId(sandbox.Value[..13]), 1, 1, "producer"), new EgressPolicy(["ok.test"]), new ModelPolicy(["m"], 1000));

    private static Task<string> CallAsync(Core.Sandboxes.Doors doors, string token)
    {
        const string Message = """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_pr","arguments":{}}}""";
        return SendAsync(
            doors.ToolSocket,
            $"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:18003\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
            + $"Content-Length: {Message.Length}\r\nConnection: close\r\n\r\n{Message}");
    }

    private static Task<string> ConnectAsync(Core.Sandboxes.Doors doors, string token) =>
        SendAsync(doors.EgressSocket, $"CONNECT evil.test:443 HTTP/1.1\r\nProxy-Authorization: Bearer {token}\r\n\r\n");

    private static async Task<string> SendAsync(string path, string request)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), TestContext.Current.CancellationToken);
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request), TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream, Encoding.ASCII);
        return await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
    }
}
