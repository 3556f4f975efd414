using System.Net;
using System.Net.Security;
using System.Text;

namespace Gjoll.Egress.Tests;

public sealed class EgressProxyTests
{
    private const string Answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi";

    [Fact]
    public async Task Tunnel_CarriesTlsToTheAuthorisedName()
    {
        await using var lab = new EgressLab("ok.test");
        var server = LabServer.Tls("ok.test", async tls => await tls.WriteAsync("hello from tls"u8.ToArray()));
        var port = lab.Serve("ok.test", server);

        var tunnel = await lab.TunnelAsync("OK.test.", port);
        await using var client = new SslStream(tunnel, false, (_, certificate, _, _) => certificate?.Subject == "CN=ok.test");
        await client.AuthenticateAsClientAsync("ok.test");

        Assert.Equal("hello from tls", await EgressLab.ReadAllAsync(client));
        Assert.Equal(1, server.Connections);
        Assert.True(lab.Audit.Single.Allowed);
        Assert.Equal(["ok.test"], lab.Lookups);
    }

    [Theory]
    [InlineData("ssh", "not-tls")]
    [InlineData("http", "not-tls")]
    [InlineData("none", "no-sni")]
    [InlineData("other", "sni-mismatch")]
    [InlineData("sub", "sni-mismatch")]
    [InlineData("dot", "sni-mismatch")]
    [InlineData("hidden", "encrypted-hello")]
    [InlineData("cut-other", "sni-mismatch")]
    public async Task Tunnel_IsClosedBeforeDiallingWhenItIsNotTlsForThatName(string kind, string rule)
    {
        await using var lab = new EgressLab("ok.test");
        var server = LabServer.Raw(async stream => await stream.WriteAsync("reached"u8.ToArray()));
        var port = lab.Serve("ok.test", server);
        var bytes = kind switch
        {
            "ssh" => "SSH-2.0-evil\r\n"u8.ToArray(),
            "http" => "GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n"u8.ToArray(),
            "none" => Hello.For(null),
            "other" => Hello.For("evil.test"),
            "sub" => Hello.For("a.ok.test"),
            "dot" => Hello.For("ok.test."),
            "hidden" => Hello.For("ok.test", (0xfe0d, [0])),
            _ => Hello.Cut(Hello.For("evil.test"), 3),
        };

        var tunnel = await lab.TunnelAsync("ok.test", port);
        await tunnel.WriteAsync(bytes);

        Assert.Empty(await EgressLab.ReadAllAsync(tunnel));
        Assert.Equal(0, server.Connections);
        Assert.Equal((false, rule), (lab.Audit.Single.Allowed, lab.Audit.Single.Rule));
    }

    [Fact]
    public async Task Tunnel_TakesAHelloThatComesWithTheRequest()
    {
        await using var lab = new EgressLab("*.ok.test");
        var received = new TaskCompletionSource<byte[]>();
        var hello = Hello.For("a.ok.test");
        var port = lab.Serve("a.ok.test", LabServer.Raw(async stream =>
        {
            var bytes = new byte[hello.Length];
            await stream.ReadExactlyAsync(bytes);
            received.SetResult(bytes);
        }));

        var client = await lab.ConnectAsync();
        await client.WriteAsync((byte[])[.. Encoding.ASCII.GetBytes($"CONNECT a.ok.test:{port} HTTP/1.1\r\n{EgressLab.Auth}\r\n"), .. hello]);

        Assert.Equal(hello, await received.Task.WaitAsync(TestContext.Current.CancellationToken));
        Assert.Equal("allow *.ok.test", lab.Audit.Single.Rule);
    }

    [Theory]
    [InlineData("CONNECT evil.test:443 HTTP/1.1\r\n", 403, "not-on-allow-list")]
    [InlineData("GET http://evil.test/ HTTP/1.1\r\nHost: evil.test\r\n", 403, "not-on-allow-list")]
    [InlineData("CONNECT ok.test.evil:443 HTTP/1.1\r\n", 403, "not-on-allow-list")]
    [InlineData("CONNECT evilok.test:443 HTTP/1.1\r\n", 403, "not-on-allow-list")]
    [InlineData("CONNECT ok.test:22 HTTP/1.1\r\n", 403, "port")]
    [InlineData("CONNECT ok.test:80 HTTP/1.1\r\n", 403, "port")]
    [InlineData("GET http://ok.test:443/ HTTP/1.1\r\nHost: ok.test:443\r\n", 403, "port")]
    [InlineData("CONNECT 127.0.0.1:443 HTTP/1.1\r\n", 403, "address-literal")]
    [InlineData("CONNECT [::ffff:7f00:1]:443 HTTP/1.1\r\n", 403, "address-literal")]
    [InlineData("CONNECT 2130706433:443 HTTP/1.1\r\n", 403, "address-literal")]
    [InlineData("CONNECT 169.254.169.254:80 HTTP/1.1\r\n", 403, "address-literal")]
    [InlineData("CONNECT evil\0.ok.test:443 HTTP/1.1\r\n", 400, "malformed-request")]
    [InlineData("CONNECT ok.test@evil.test:443 HTTP/1.1\r\n", 403, "malformed-name")]
    [InlineData("CONNECT private.test:443 HTTP/1.1\r\n", 403, "address")]
    [InlineData("CONNECT mixed.test:443 HTTP/1.1\r\n", 403, "address")]
    [InlineData("CONNECT metadata.test:443 HTTP/1.1\r\n", 403, "address")]
    [InlineData("CONNECT mapped.test:443 HTTP/1.1\r\n", 403, "address")]
    [InlineData("GET http://private.test/ HTTP/1.1\r\nHost: private.test\r\n", 403, "address")]
    [InlineData("CONNECT nowhere.test:443 HTTP/1.1\r\n", 502, "unresolved")]
    [InlineData("PUT http://ok.test/ HTTP/1.1\r\nHost: ok.test\r\nContent-Length: 6\r\n", 403, "method")]
    [InlineData("POST http://ok.test/ HTTP/1.1\r\nHost: ok.test\r\nContent-Length: 6\r\n", 403, "method")]
    [InlineData("TRACE http://ok.test/ HTTP/1.1\r\nHost: ok.test\r\n", 403, "method")]
    [InlineData("GET http://ok.test/ HTTP/1.1\r\nHost: ok.test\r\nContent-Length: 6\r\n", 400, "request-body")]
    [InlineData("GET http://ok.test/ HTTP/1.1\r\nHost: evil.test\r\n", 400, "host-mismatch")]
    [InlineData("GET http://ok.test/ HTTP/1.1\nHost: ok.test\n", 400, "malformed-request")]
    [InlineData("SSH-2.0-evil\r\n", 400, "malformed-request")]
    public async Task Request_IsDeniedWithOneLineOfAudit(string head, int status, string rule)
    {
        await using var lab = new EgressLab("ok.test", "private.test", "mixed.test", "metadata.test", "mapped.test", "nowhere.test");
        lab.Names["ok.test"] = ["127.0.0.1"];
        lab.Names["private.test"] = ["127.0.0.1"];
        lab.Names["mixed.test"] = ["8.8.8.8", "10.0.0.1"];
        lab.Names["metadata.test"] = ["169.254.169.254"];
        lab.Names["mapped.test"] = ["::ffff:127.0.0.1"];

        var answer = await lab.AskAsync(head + EgressLab.Auth + "\r\n");

        Assert.StartsWith($"HTTP/1.1 {status} ", answer, StringComparison.Ordinal);
        Assert.Contains("\r\n\r\ngjoll: ", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("127.0.0.1", answer, StringComparison.Ordinal);
        Assert.DoesNotContain(".test", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("/", answer[(answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..].Replace("http://", "", StringComparison.Ordinal), StringComparison.Ordinal);
        var (sandbox, admission, decision) = Assert.Single(lab.Audit.Lines);
        Assert.Equal((Admissions.Sandbox, "egress", false, rule), (sandbox, decision.Door, decision.Allowed, decision.Rule));
        Assert.Same(lab.Admission, admission);
        Assert.DoesNotContain(decision.Target, char.IsControl);
    }

    [Fact]
    public async Task UnlistedName_IsNeverLookedUp()
    {
        await using var lab = new EgressLab("ok.test");

        await lab.AskAsync($"CONNECT c2VjcmV0.evil.test:443 HTTP/1.1\r\n{EgressLab.Auth}\r\n");

        Assert.Empty(lab.Lookups);
    }

    [Theory]
    [InlineData()]
    [InlineData("*")]
    [InlineData("ok.test", "*.")]
    [InlineData("ok.test ")]
    public async Task EmptyOrInvalidList_DeniesAll(params string[] patterns)
    {
        await using var lab = new EgressLab(patterns);

        Assert.StartsWith("HTTP/1.1 403 ", await lab.AskAsync($"CONNECT ok.test:443 HTTP/1.1\r\n{EgressLab.Auth}\r\n"), StringComparison.Ordinal);
        Assert.False(lab.Audit.Single.Allowed);
    }

    [Theory]
    [InlineData("", 407, "no-token")]
    [InlineData("Authorization: Bearer t0ken-of-this-sandbox\r\n", 407, "no-token")]
    [InlineData("Proxy-Authorization: Bearer token-of-another\r\n", 403, "bad-token")]
    [InlineData("Proxy-Authorization: Basic eDp5\r\n", 403, "bad-token")]
    [InlineData("Proxy-Authorization: Bearer \r\n", 403, "bad-token")]
    public async Task Token_MustBeTheAdmissions(string field, int status, string rule)
    {
        await using var lab = new EgressLab("ok.test");

        var answer = await lab.AskAsync($"CONNECT ok.test:443 HTTP/1.1\r\n{field}\r\n");

        Assert.StartsWith($"HTTP/1.1 {status} ", answer, StringComparison.Ordinal);
        Assert.Equal(status == 407, answer.Contains("Proxy-Authenticate: Basic", StringComparison.Ordinal));
        Assert.Equal(rule, lab.Audit.Single.Rule);
    }

    [Fact]
    public async Task Nobody_PassesWithoutAnAdmission()
    {
        await using var lab = new EgressLab("ok.test") { Admission = null };

        Assert.StartsWith("HTTP/1.1 403 ", await lab.AskAsync($"CONNECT ok.test:443 HTTP/1.1\r\n{EgressLab.Auth}\r\n"), StringComparison.Ordinal);
        Assert.Equal("not-admitted", lab.Audit.Single.Rule);
    }

    [Fact]
    public async Task Plain_IsForwardedOnceAndCleaned()
    {
        await using var lab = new EgressLab("ok.test");
        var server = LabServer.Http(Answer);
        var port = lab.Serve("ok.test", server);

        var answer = await lab.AskAsync(
            $"GET http://ok.test:{port}/x HTTP/1.1\r\nHost: ok.test:{port}\r\nAuthorization: Bearer planted\r\n{EgressLab.Auth}\r\n"
            + $"GET http://ok.test:{port}/smuggled HTTP/1.1\r\nHost: ok.test:{port}\r\n\r\n");

        Assert.Equal(Answer, answer);
        Assert.Equal($"GET /x HTTP/1.1\r\nHost: ok.test:{port}\r\nConnection: close\r\n\r\n", server.Received.ToString());
        Assert.True(lab.Audit.Single.Allowed);
    }

    [Fact]
    public async Task Plain_CarriesABodyOfExactlyItsLengthWhenTheMethodIsAllowed()
    {
        await using var lab = new EgressLab("ok.test");
        lab.Options.PlainMethods.Add("POST");
        var body = new TaskCompletionSource<string>();
        var port = lab.Serve("ok.test", LabServer.Raw(async stream =>
        {
            using var reader = new StreamReader(stream, Encoding.ASCII, false, 1024, leaveOpen: true);
            while (await reader.ReadLineAsync() is { Length: > 0 })
            {
            }

            var buffer = new char[5];
            await reader.ReadBlockAsync(buffer);
            body.SetResult(new string(buffer));
            await stream.WriteAsync(Encoding.ASCII.GetBytes(Answer));
        }));

        var answer = await lab.AskAsync(
            $"POST http://ok.test:{port}/ HTTP/1.1\r\nHost: ok.test:{port}\r\nContent-Length: 5\r\n{EgressLab.Auth}\r\n12345GET /evil HTTP/1.1\r\n\r\n");

        Assert.Equal("12345", await body.Task);
        Assert.Equal(Answer, answer);
    }

    [Fact]
    public async Task Decision_ThatCannotBeWrittenDownIsADenial()
    {
        await using var lab = new EgressLab("ok.test");
        var server = LabServer.Http(Answer);
        var port = lab.Serve("ok.test", server);
        lab.Audit.IsBroken = true;

        var plain = await lab.AskAsync($"GET http://ok.test:{port}/ HTTP/1.1\r\nHost: ok.test:{port}\r\n{EgressLab.Auth}\r\n");
        var tunnel = await lab.TunnelAsync("ok.test", port);
        await tunnel.WriteAsync(Hello.For("ok.test"));

        Assert.StartsWith("HTTP/1.1 503 ", plain, StringComparison.Ordinal);
        Assert.DoesNotContain("/var", plain, StringComparison.Ordinal);
        Assert.Empty(await EgressLab.ReadAllAsync(tunnel));
        Assert.Equal(0, server.Connections);
    }

    [Fact]
    public async Task Head_IsBounded()
    {
        await using var lab = new EgressLab("ok.test");

        var answer = await lab.AskAsync("CONNECT ok.test:443 HTTP/1.1\r\nX: " + new string('a', HttpHead.MaxBytes));

        Assert.StartsWith("HTTP/1.1 431 ", answer, StringComparison.Ordinal);
        Assert.Equal("head-too-large", lab.Audit.Single.Rule);
    }

    [Fact]
    public async Task SlowHead_IsGivenUp()
    {
        await using var lab = new EgressLab("ok.test");
        lab.Options.HeadTimeout = TimeSpan.FromMilliseconds(50);

        Assert.StartsWith("HTTP/1.1 408 ", await lab.AskAsync("CONNECT ok.te"), StringComparison.Ordinal);
        Assert.Equal("head-too-slow", lab.Audit.Single.Rule);
    }

    [Fact]
    public async Task Silence_IsNoDecision()
    {
        await using var lab = new EgressLab("ok.test");

        Assert.Empty(await lab.AskAsync("", isDone: true));
        Assert.Empty(lab.Audit.Lines);
    }

    [Fact]
    public async Task Connections_AreBoundedAndThePlacesComeBack()
    {
        await using var lab = new EgressLab("ok.test");
        lab.Options.MaxConnections = 2;
        var first = await lab.ConnectAsync();
        var second = await lab.ConnectAsync();

        Assert.StartsWith("HTTP/1.1 503 ", await lab.AskAsync(""), StringComparison.Ordinal);

        await first.DisposeAsync();
        await second.DisposeAsync();
        await lab.ServedAsync();
        Assert.StartsWith("HTTP/1.1 407 ", await lab.AskAsync("CONNECT ok.test:443 HTTP/1.1\r\n\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tunnel_IsCutWhenTheAdmissionEnds()
    {
        await using var lab = new EgressLab("ok.test");
        var reached = new TaskCompletionSource();
        var port = lab.Serve("ok.test", LabServer.Raw(async stream =>
        {
            reached.SetResult();
            await stream.CopyToAsync(Stream.Null);
        }));
        var tunnel = await lab.TunnelAsync("ok.test", port);
        await tunnel.WriteAsync(Hello.For("ok.test"));
        await reached.Task.WaitAsync(TestContext.Current.CancellationToken);

        lab.End();

        Assert.Empty(await EgressLab.ReadAllAsync(tunnel));
        await lab.ServedAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Tunnel_IsCutAtItsByteCap(bool isUpload)
    {
        await using var lab = new EgressLab("ok.test");
        lab.Options.MaxUploadBytes = isUpload ? 100_000 : lab.Options.MaxUploadBytes;
        lab.Options.MaxDownloadBytes = isUpload ? lab.Options.MaxDownloadBytes : 100_000;
        var port = lab.Serve("ok.test", LabServer.Raw(stream => isUpload ? stream.CopyToAsync(Stream.Null) : stream.WriteAsync(new byte[10 << 20]).AsTask()));
        var tunnel = await lab.TunnelAsync("ok.test", port);
        await tunnel.WriteAsync(Hello.For("ok.test"));

        var sending = isUpload ? SendAsync(tunnel) : Task.CompletedTask;
        var received = await EgressLab.ReadAllAsync(tunnel);

        Assert.InRange(received.Length, 0, 100_001);
        await sending;
        await lab.ServedAsync();

        static async Task SendAsync(Stream stream)
        {
            await Assert.ThrowsAsync<IOException>(async () =>
            {
                while (true)
                {
                    await stream.WriteAsync(new byte[64 * 1024], TestContext.Current.CancellationToken);
                }
            });
        }
    }

    [Fact]
    public async Task IdleTunnel_IsClosed()
    {
        await using var lab = new EgressLab("ok.test");
        lab.Options.IdleTimeout = TimeSpan.FromMilliseconds(50);
        var port = lab.Serve("ok.test", LabServer.Raw(stream => stream.CopyToAsync(Stream.Null)));
        var tunnel = await lab.TunnelAsync("ok.test", port);
        await tunnel.WriteAsync(Hello.For("ok.test"));

        Assert.Empty(await EgressLab.ReadAllAsync(tunnel));
        await lab.ServedAsync();
    }

    [Fact]
    public async Task HalfClose_IsPassedOnAndTheAnswerStillComes()
    {
        await using var lab = new EgressLab("ok.test");
        var port = lab.Serve("ok.test", LabServer.Raw(async stream =>
        {
            await stream.CopyToAsync(Stream.Null);
            await stream.WriteAsync("after the end"u8.ToArray());
        }));
        var tunnel = await lab.TunnelAsync("ok.test", port);
        await tunnel.WriteAsync(Hello.For("ok.test"));
        tunnel.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);

        Assert.Equal("after the end", await EgressLab.ReadAllAsync(tunnel));
    }

    [Fact]
    public async Task LiftedAddress_IsForThatHostAddressAndPortOnly()
    {
        await using var lab = new EgressLab("mirror.test", "other.test");
        lab.Names["mirror.test"] = ["10.1.2.3"];
        lab.Names["other.test"] = ["10.1.2.3"];
        lab.Options.AllowedAddresses.Add(new AllowedAddress { Host = "mirror.test", Address = "10.1.2.3:8443" });
        Assert.True(HostName.TryParse("mirror.test", out var mirror, out _));

        Assert.StartsWith("HTTP/1.1 403 ", await lab.AskAsync($"CONNECT other.test:443 HTTP/1.1\r\n{EgressLab.Auth}\r\n"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 403 ", await lab.AskAsync($"CONNECT mirror.test:443 HTTP/1.1\r\n{EgressLab.Auth}\r\n"), StringComparison.Ordinal);
        Assert.True(lab.Options.Lifts(mirror, new IPEndPoint(IPAddress.Parse("10.1.2.3"), 8443)));
        Assert.False(lab.Options.Lifts(mirror, new IPEndPoint(IPAddress.Parse("10.1.2.4"), 8443)));
    }

    [Fact]
    public void Options_ReportEveryFaultAtOnce()
    {
        var options = new EgressOptions { TunnelPorts = [0], PlainMethods = ["CONNECT"], MaxConnections = 0 };
        options.AllowedAddresses.Add(new AllowedAddress { Host = "UPPER.test", Address = "10.0.0.1" });

        var result = new EgressOptionsCheck().Validate(null, options);

        Assert.Equal(5, result.Failures!.Count());
        Assert.True(new EgressOptionsCheck().Validate(null, new EgressOptions()).Succeeded);
    }
}
