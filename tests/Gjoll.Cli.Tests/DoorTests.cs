using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Gjoll.Cli.Tests;

/// <summary>Ways in and out: egress, named proxies and forwarded ports, against servers of this machine's loopback.</summary>
public sealed class DoorTests : IAsyncLifetime
{
    private readonly Commands _gjoll = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _gjoll.DisposeAsync();

    [Fact]
    public async Task Proxy_AddsTheCredentialAndEgressDeniesTheRest()
    {
        using var target = new TcpListener(IPAddress.Loopback, 0);
        target.Start();
        var seen = AnswerAsync(target);
        var place = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{((IPEndPoint)target.LocalEndpoint).Port}");
        File.WriteAllText(Path.Combine(_gjoll.Folder, "key"), "secret-of-the-host\n");
        await _gjoll.UpAsync("doors", $$"""
            egress: {allow: [pypi.example]}
            proxies:
              - name: model
                port: 18080
                target: http://{{place}}
                addresses: ["{{place}}"]
                allow: [{methods: [GET], path: /v1/**}]
                credential: {kind: header, header: x-api-key, value_file: key}
            """);

        Assert.Equal("answer", (await _gjoll.DoAsync("ssh", "doors", "--", "curl", "-s", "--noproxy", "*", "http://127.0.0.1:18080/v1/models")).Text);
        var request = await seen;
        Assert.StartsWith("GET /v1/models HTTP/1.1", request, StringComparison.Ordinal);
        Assert.Contains("x-api-key: secret-of-the-host\r\n", request, StringComparison.OrdinalIgnoreCase);

        Assert.Equal("403", (await _gjoll.DoAsync("ssh", "doors", "--", "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://other.example/")).Text);
        Assert.Equal("403", (await _gjoll.DoAsync("ssh", "doors", "--", "curl", "-s", "--noproxy", "*", "-o", "/dev/null", "-w", "%{http_code}", "http://127.0.0.1:18080/admin")).Text);
        var logs = (await _gjoll.DoAsync("logs", "doors")).Text;
        Assert.Contains("other.example", logs, StringComparison.Ordinal);
        Assert.DoesNotContain("secret-of-the-host", logs, StringComparison.Ordinal);

        // Doors close with the sandbox and open with it.
        await _gjoll.DoAsync("stop", "doors", "--grace", "0");
        Assert.DoesNotContain("proxy", await KeepersAsync(), StringComparison.Ordinal);
        await _gjoll.DoAsync("start", "doors");
        Assert.Equal("403", (await _gjoll.DoAsync("ssh", "doors", "--", "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://other.example/")).Text);
        await _gjoll.DoAsync("down", "doors");
        Assert.DoesNotContain("proxy", await KeepersAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Proxy_ThatWasLookedAtGivesTheDoorsBack()
    {
        await _gjoll.UpAsync("look", "egress: {allow: [pypi.example]}\n");
        using var process = _gjoll.Start("proxy", "look");
        Assert.NotNull(await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
        Assert.False(await AreServedAsync());

        await HostCommand.RunAsync("/", "kill", "-INT", process.Id.ToString(CultureInfo.InvariantCulture));
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(130, process.ExitCode);
        Assert.True(await AreServedAsync());
        Assert.Equal("403", (await _gjoll.DoAsync("ssh", "look", "--", "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://other.example/")).Text);

        async Task<bool> AreServedAsync() => (await _gjoll.DoAsync("status", "look", "--json")).Json.GetProperty("doorsServed").GetBoolean();
    }

    [Fact]
    public async Task Proxy_WhoseKeyIsNotThereFailsTheUp()
    {
        var environment = _gjoll.Environment("nokey", """
            proxies:
              - name: model
                port: 18080
                target: https://api.example.com
                allow: [{methods: [GET], path: /**}]
                credential: {kind: header, header: x-api-key, value_env: GJOLL_TEST_NO_SUCH_KEY}
            """);

        var said = await _gjoll.RunAsync("up", environment);

        Assert.Equal((1, ""), (said.Code, said.Text));
        Assert.Contains("GJOLL_TEST_NO_SUCH_KEY", said.Talk, StringComparison.Ordinal);
        await _gjoll.DoAsync("down", "nokey");
    }

    [Fact]
    public async Task Forward_LeadsToThePortOfTheGuest()
    {
        await _gjoll.UpAsync("port");
        // A queue for all twenty: what comes to a full one is cut. PIPE, since socat loses a connection when its child is quick.
        using var server = _gjoll.Start("ssh", "port", "--", "socat", "-t", "60", "TCP-LISTEN:9100,bind=127.0.0.1,reuseaddr,fork,backlog=128", "PIPE");
        using var forward = _gjoll.Start("forward", "port", "-L", "0:9100");
        try
        {
            var line = await forward.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
            var port = int.Parse(line!.Split(' ')[0].Split(':')[1], CultureInfo.InvariantCulture);
            string answer;
            var tries = 0;
            do
            {
                // The guest's server may not listen yet: then the connection ends with nothing.
                answer = await AskAsync(port);
            }
            while (answer.Length == 0 && ++tries < 500);

            Assert.Equal("hello", answer);
            Assert.All(await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => AskAsync(port))), one => Assert.Equal("hello", one));
            await HostCommand.RunAsync("/", "kill", "-INT", forward.Id.ToString(CultureInfo.InvariantCulture));
            await forward.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.Equal(130, forward.ExitCode);
        }
        finally
        {
            foreach (var process in new[] { server, forward })
            {
                if (!process.HasExited)
                {
                    process.Kill();
                }
            }
        }
    }

    internal static async Task<string> AskAsync(int port)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken);
        await using var stream = client.GetStream();
        try
        {
            await stream.WriteAsync("hello"u8.ToArray(), TestContext.Current.CancellationToken);
            client.Client.Shutdown(SocketShutdown.Send);
            using var reader = new StreamReader(stream, leaveOpen: true);
            return await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
        }
        catch (Exception cut) when (cut is IOException or SocketException)
        {
            return "";
        }
    }

    internal static async Task<string> AnswerAsync(TcpListener listener)
    {
        using var client = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        var request = new StringBuilder();
        using var reader = new StreamReader(client.GetStream(), Encoding.Latin1, leaveOpen: true);
        while (await reader.ReadLineAsync(TestContext.Current.CancellationToken) is { Length: > 0 } line)
        {
            request.Append(line).Append("\r\n");
        }

        await client.GetStream().WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nanswer"u8.ToArray(), TestContext.Current.CancellationToken);
        return request.ToString();
    }

    /// <summary>Command lines of the processes that serve doors of this test's home.</summary>
    private async Task<string> KeepersAsync()
    {
        var lines = new StringBuilder();
        foreach (var folder in Directory.EnumerateDirectories("/proc").Where(folder => char.IsAsciiDigit(Path.GetFileName(folder)[0])))
        {
            try
            {
                if ((await File.ReadAllTextAsync(Path.Combine(folder, "environ"), TestContext.Current.CancellationToken)).Contains($"GJOLL_HOME={_gjoll.Home}\0", StringComparison.Ordinal))
                {
                    lines.AppendLine(await File.ReadAllTextAsync(Path.Combine(folder, "cmdline"), TestContext.Current.CancellationToken));
                }
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                // Ended meanwhile, or not ours.
            }
        }

        return lines.ToString();
    }
}
