using System.Text;
using Gjoll.Egress.Proxies;

namespace Gjoll.Egress.Tests.Proxies;

public sealed class NamedProxyTests
{
    private const string Canary = "sk-canary-4711-do-not-show";

    [Fact]
    public async Task Request_GoesOutWithTheHostsCredentialAndNothingForeign()
    {
        await using var lab = new ProxyLab();
        lab.Environment["API_KEY"] = Canary;
        var server = LabServer.Answering((_, _) => ProxyLab.Ok);
        var definition = lab.To(server);
        await lab.StartAsync(definition with { Target = definition.Target + "/base", Credential = new ProxyCredential.Static("X-Api-Key") { Variable = "API_KEY" } });

        var answer = await lab.AskAsync(
            "GET /v1/a%20b?q=%2f..&r HTTP/1.1\r\nHost: evil.test\r\nAuthorization: Bearer guest\r\nx-api-key: guest\r\nCookie: a=guest\r\n"
            + "Proxy-Authorization: Basic guest\r\nX-Forwarded-For: guest\r\nX-HTTP-Method-Override: DELETE\r\nX-Original-URL: /guest\r\n"
            + "Connection: close\r\nTE: trailers\r\nAccept: text/plain\r\nX-Mine: kept\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 200 OK\r\n", answer, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\nhi", answer, StringComparison.Ordinal);
        var head = Assert.Single(server.Requests).Head;
        Assert.StartsWith("GET /base/v1/a%20b?q=%2f..&r HTTP/1.1\r\n", head, StringComparison.Ordinal);
        Assert.Equal(
            ["Accept: text/plain", $"Host: api.test:{server.Port}", $"X-Api-Key: {Canary}", "X-Mine: kept"],
            head.Split("\r\n").Skip(1).Order(StringComparer.Ordinal));
        Assert.Equal(new EgressDecision("proxy:api", "GET /v1/a%20b", true, "allow /v1/**"), lab.Audit.Single);
    }

    [Fact]
    public async Task Request_GoesOutWithoutWhatItsConnectionNames()
    {
        await using var lab = new ProxyLab();
        var server = LabServer.Answering((_, _) => ProxyLab.Ok);
        await lab.StartAsync(lab.To(server));

        await lab.AskAsync("GET /v1/x HTTP/1.0\r\nConnection: X-Hop\r\nX-Hop: guest\r\n\r\n");

        Assert.DoesNotContain("X-Hop", Assert.Single(server.Requests).Head, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Answer_ComesWithoutWhatBelongsToOneConnectionAndWithoutCookies()
    {
        await using var lab = new ProxyLab();
        await lab.StartAsync(lab.To(LabServer.Answering((_, _) =>
            "HTTP/1.1 418 Short\r\nContent-Length: 2\r\nSet-Cookie: session=1\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nProxy-Authenticate: Basic\r\nX-Kept: a\r\nX-Kept: b\r\nX-Latin: \u00e9\r\n\r\nhi")));

        var answer = await lab.GetAsync();

        Assert.StartsWith("HTTP/1.1 418 ", answer, StringComparison.Ordinal);
        Assert.Contains("X-Kept: a\r\nX-Kept: b\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("X-Latin: \u00e9\r\n", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("Cookie", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("X-Hop", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("Proxy-", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET /other HTTP/1.1", 403, "not-allowed")]
    [InlineData("DELETE /v1/x HTTP/1.1", 403, "not-allowed")]
    [InlineData("GET /v1 HTTP/1.1", 403, "not-allowed")]
    [InlineData("POST /models/m:run HTTP/1.1", 403, "not-allowed")]
    [InlineData("GET /models/m:stop HTTP/1.1", 403, "not-allowed")]
    [InlineData("GET /v1/../other HTTP/1.1", 400, "path-form")]
    [InlineData("GET /v1/./x HTTP/1.1", 400, "path-form")]
    [InlineData("GET /v1//x HTTP/1.1", 400, "path-form")]
    [InlineData("GET //v1/x HTTP/1.1", 400, "path-form")]
    [InlineData("GET /v1/..;/other HTTP/1.1", 400, "path-form")]
    [InlineData("GET /v1/%2e%2e/other HTTP/1.1", 400, "path-form")]
    [InlineData("GET /v1/.%2E/other HTTP/1.1", 400, "path-form")]
    [InlineData("GET /v1/..%2fother HTTP/1.1", 400, "path-form")]
    [InlineData("GET /v1/..%5cother HTTP/1.1", 400, "path-form")]
    [InlineData("GET /v1/%252e%252e/other HTTP/1.1", 400, "path-form")]
    [InlineData("GET /v1/%c0%ae%c0%ae/other HTTP/1.1", 400, "path-form")]
    [InlineData("GET /v1/%ef%bc%8e%ef%bc%8e/other HTTP/1.1", 400, "path-form")]
    [InlineData("GET /v1/x%01 HTTP/1.1", 400, "path-form")]
    [InlineData("GET /v1/x%0d%0aX:y HTTP/1.1", 400, "path-form")]
    [InlineData("GET /v1/%zz HTTP/1.1", 400, "path-form")]
    [InlineData("GET /v1/..\\other HTTP/1.1", 400, "malformed-request")]
    [InlineData("GET /v1/x#y HTTP/1.1", 400, "malformed-request")]
    [InlineData("GET http://127.0.0.1:18080/v1/x HTTP/1.1", 400, "request-form")]
    [InlineData("OPTIONS * HTTP/1.1", 400, "request-form")]
    [InlineData("CONNECT 127.0.0.1:18080 HTTP/1.1", 400, "request-form")]
    public async Task Request_IsRefusedBeforeAnythingIsDialled(string line, int status, string rule)
    {
        await using var lab = new ProxyLab();
        var server = LabServer.Answering((_, _) => ProxyLab.Ok);
        await lab.StartAsync(lab.To(server));

        var answer = await lab.AskAsync($"{line}\r\nHost: 127.0.0.1:18080\r\nConnection: close\r\n\r\n");

        Assert.StartsWith($"HTTP/1.1 {status} ", answer, StringComparison.Ordinal);
        Assert.Contains($"X-Gjoll-Rule: {rule}\r\n", answer, StringComparison.Ordinal);
        Assert.Equal((false, rule), (lab.Audit.Single.Allowed, lab.Audit.Single.Rule));
        Assert.Equal(0, server.Connections);
    }

    [Theory]
    [InlineData("GET http://evil.test/v1/x HTTP/1.1\r\nHost: 127.0.0.1:18080")]
    [InlineData("GET /v1/x HTTP/1.1\r\nHost: a.test\r\nHost: b.test")]
    [InlineData("GET /v1/x HTTP/1.1")]
    [InlineData("GET /v1/x%00 HTTP/1.1\r\nHost: a.test")]
    [InlineData("GET /v1/x HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1\r\nTransfer-Encoding: chunked, x")]
    [InlineData("GET /v1/x HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1\r\nContent-Length: 2")]
    [InlineData("GET /v1/x HTTP/1.1\r\nHost: a.test\r\nX : y")]
    [InlineData("not http")]
    public async Task Request_ThatTwoProgramsCouldReadDifferentlyGoesNowhere(string head)
    {
        await using var lab = new ProxyLab();
        var server = LabServer.Answering((_, _) => ProxyLab.Ok);
        await lab.StartAsync(lab.To(server));

        Assert.StartsWith("HTTP/1.1 400 ", await lab.AskAsync($"{head}\r\nConnection: close\r\n\r\n"), StringComparison.Ordinal);
        Assert.Equal(0, server.Connections);
    }

    [Fact]
    public async Task Redirect_IsPassedOnAndNotFollowed()
    {
        await using var lab = new ProxyLab();
        var server = LabServer.Answering((_, _) => "HTTP/1.1 302 Found\r\nLocation: http://evil.test/take?it\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        await lab.StartAsync(lab.To(server));

        var answer = await lab.GetAsync();

        Assert.StartsWith("HTTP/1.1 302 ", answer, StringComparison.Ordinal);
        Assert.Contains("Location: http://evil.test/take?it\r\n", answer, StringComparison.Ordinal);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task Answer_ComesAsItIsMade()
    {
        await using var lab = new ProxyLab();
        var wasRead = new TaskCompletionSource();
        await lab.StartAsync(lab.To(LabServer.Raw(async stream =>
        {
            await LabServer.ReadRequestAsync(stream);
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nfirst"u8.ToArray());
            await wasRead.Task;
            await stream.WriteAsync("second"u8.ToArray());
        })));

        await using var guest = await UnixClient.ConnectAsync(lab.Socket());
        await guest.WriteAsync("GET /v1/x HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
        var seen = "";
        var buffer = new byte[1024];
        while (!seen.Contains("first", StringComparison.Ordinal))
        {
            var read = await guest.ReadAsync(buffer, TestContext.Current.CancellationToken);
            Assert.True(read > 0, $"closed after '{seen}'");
            seen += Encoding.Latin1.GetString(buffer, 0, read);
        }

        wasRead.SetResult();
        Assert.Contains("second", await EgressLab.ReadAllAsync(guest), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Body_GoesOutAsItComes()
    {
        await using var lab = new ProxyLab();
        var arrived = new TaskCompletionSource();
        var server = LabServer.Raw(async stream =>
        {
            var text = "";
            var buffer = new byte[1024];
            while (!text.Contains("second", StringComparison.Ordinal))
            {
                text += Encoding.Latin1.GetString(buffer, 0, await stream.ReadAsync(buffer));
                if (text.Contains("first", StringComparison.Ordinal))
                {
                    arrived.TrySetResult();
                }
            }

            await stream.WriteAsync(Encoding.ASCII.GetBytes(ProxyLab.Ok));
        });
        await lab.StartAsync(lab.To(server));

        // More than the client's own buffer, so that what has arrived must have been passed on.
        var first = new string('x', 64 * 1024) + "first" + new string('x', 64 * 1024);
        await using var guest = await UnixClient.ConnectAsync(lab.Socket());
        await guest.WriteAsync(Encoding.ASCII.GetBytes($"POST /v1/x HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nContent-Length: {first.Length + 6}\r\n\r\n{first}"), TestContext.Current.CancellationToken);
        await arrived.Task.WaitAsync(TestContext.Current.CancellationToken);
        await guest.WriteAsync("second"u8.ToArray(), TestContext.Current.CancellationToken);

        Assert.EndsWith("hi", await EgressLab.ReadAllAsync(guest), StringComparison.Ordinal);
    }

    [Fact]
    public async Task SlowHead_IsGivenUp()
    {
        await using var lab = new ProxyLab { HeadTimeout = TimeSpan.FromMilliseconds(200) };
        await lab.StartAsync(lab.To(LabServer.Answering((_, _) => ProxyLab.Ok)));

        Assert.StartsWith("HTTP/1.1 408 ", await lab.AskAsync("GET /v1/x HTTP/1.1\r\nHost: a.te"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task HeaderBombs_AreRefused()
    {
        await using var lab = new ProxyLab();
        var server = LabServer.Answering((_, _) => ProxyLab.Ok);
        await lab.StartAsync(lab.To(server));

        var many = await lab.GetAsync(fields: string.Concat(Enumerable.Range(0, 200).Select(i => $"X-{i}: y\r\n")));
        var large = await lab.GetAsync(fields: $"X: {new string('y', 40_000)}\r\n");
        var line = await lab.GetAsync("/v1/" + new string('y', 9_000));

        Assert.StartsWith("HTTP/1.1 431 ", many, StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 431 ", large, StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 414 ", line, StringComparison.Ordinal);
        Assert.Equal(0, server.Connections);
    }

    [Fact]
    public async Task HeaderBombOfTheTarget_IsABrokenTarget()
    {
        await using var lab = new ProxyLab();
        await lab.StartAsync(lab.To(LabServer.Answering((_, _) => $"HTTP/1.1 200 OK\r\nX: {new string('y', 100_000)}\r\nContent-Length: 0\r\n\r\n")));

        var answer = await lab.GetAsync();

        Assert.StartsWith("HTTP/1.1 502 ", answer, StringComparison.Ordinal);
        Assert.Contains("X-Gjoll-Rule: target-broken", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bodies_AreBoundedBothWays()
    {
        await using var lab = new ProxyLab();
        var answer = "HTTP/1.1 200 OK\r\nContent-Length: 2000\r\nConnection: close\r\n\r\n" + new string('y', 2000);
        var server = LabServer.Answering((_, _) => answer);
        await lab.StartAsync(lab.To(server) with { MaxRequestBytes = 1000, MaxResponseBytes = 1000 });

        Assert.StartsWith("HTTP/1.1 413 ", await lab.PostAsync(new string('x', 1001)), StringComparison.Ordinal);
        Assert.StartsWith(
            "HTTP/1.1 413 ",
            await lab.AskAsync($"POST /v1/x HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n{new string('x', 2000)}\r\n0\r\n\r\n"),
            StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 502 ", await lab.PostAsync("x"), StringComparison.Ordinal);

        answer = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + new string('y', 2000);
        var cut = await lab.GetAsync();
        Assert.DoesNotContain("0\r\n\r\n", cut, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("10.0.0.1")]
    [InlineData("127.0.0.1")]
    [InlineData("169.254.169.254")]
    [InlineData("8.8.8.8,192.168.0.1")]
    [InlineData("::ffff:127.0.0.1")]
    public async Task Target_ThatLeadsToAPrivateAddressIsNotDialled(string addresses)
    {
        await using var lab = new ProxyLab();
        var server = LabServer.Answering((_, _) => ProxyLab.Ok);
        lab.Names["api.test"] = addresses.Split(',');
        await lab.StartAsync(lab.To(server) with { Addresses = [] });

        var answer = await lab.GetAsync();

        Assert.StartsWith("HTTP/1.1 403 ", answer, StringComparison.Ordinal);
        Assert.Contains("X-Gjoll-Rule: address\r\n", answer, StringComparison.Ordinal);
        Assert.Equal(0, server.Connections);
    }

    [Fact]
    public async Task Target_WithNamedAddressesLeadsToThoseOnly()
    {
        await using var lab = new ProxyLab();
        var server = LabServer.Answering((_, _) => ProxyLab.Ok);
        lab.Names["api.test"] = ["8.8.8.8"];
        await lab.StartAsync(lab.To(server));

        Assert.StartsWith("HTTP/1.1 403 ", await lab.GetAsync(), StringComparison.Ordinal);
        Assert.Equal(0, server.Connections);
    }

    [Fact]
    public async Task Https_IsSpokenWithATargetThatTheNamedAuthorityVouchesFor()
    {
        await using var lab = new ProxyLab();
        using var certificate = LabServer.Certificate("api.test");
        using var other = LabServer.Certificate("api.test");
        var server = LabServer.Tls(certificate, async stream =>
        {
            await LabServer.ReadRequestAsync(stream);
            await stream.WriteAsync(Encoding.ASCII.GetBytes(ProxyLab.Ok));
        });
        var definition = lab.To(server) with { Target = $"https://api.test:{server.Port}", Port = 1 };
        var good = lab.Write("good.pem", certificate.ExportCertificatePem());
        var wrong = lab.Write("wrong.pem", other.ExportCertificatePem());
        await lab.StartAsync(
            definition with { AuthorityFile = good },
            definition with { Name = "stranger", Port = 2, AuthorityFile = wrong },
            definition with { Name = "unvouched", Port = 3 });

        Assert.StartsWith("HTTP/1.1 200 ", await lab.GetAsync(), StringComparison.Ordinal);
        foreach (var name in new[] { "stranger", "unvouched" })
        {
            Assert.Contains("X-Gjoll-Rule: target-broken", await UnixClient.AskAsync(lab.Socket(name), "GET /v1/x HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task RenewedFile_IsReadAgainAndItsLossIsTold()
    {
        await using var lab = new ProxyLab();
        var file = lab.Write("key", Canary + "-1\n");
        var server = LabServer.Answering((_, _) => ProxyLab.Ok);
        await lab.StartAsync(lab.To(server) with { Credential = new ProxyCredential.Renewed("Authorization", file, "Bearer ") });

        await lab.GetAsync();
        lab.Write("key", Canary + "-2\n");
        await lab.GetAsync();
        File.Delete(file);
        var answer = await lab.GetAsync();

        Assert.Equal(
            [$"Authorization: Bearer {Canary}-1", $"Authorization: Bearer {Canary}-2"],
            server.Requests.Select(request => request.Head.Split("\r\n").Single(line => line.StartsWith("Authorization", StringComparison.Ordinal))));
        Assert.StartsWith("HTTP/1.1 502 ", answer, StringComparison.Ordinal);
        Assert.DoesNotContain(file, answer, StringComparison.Ordinal);
        Assert.Contains("cannot be read", lab.Logs.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_TellsEveryMissingCredentialAtOnceAndLeavesNothingBehind()
    {
        await using var lab = new ProxyLab();
        lab.Environment["BAD"] = Canary + "\r\nX-Evil: 1";
        var definition = lab.To(LabServer.Answering((_, _) => ProxyLab.Ok));
        var socket = Path.Combine(Path.GetDirectoryName(lab.Write("adc.json", $"{{ \"type\": \"{Canary}\" "))!, "api.sock");

        var problem = await Assert.ThrowsAsync<EgressFaultException>(() => lab.StartAsync(
            definition,
            definition with { Name = "absent", Port = 1, Credential = new ProxyCredential.Static("X-Key") { Variable = "NOT_SET" } },
            definition with { Name = "bad", Port = 2, Credential = new ProxyCredential.Static("X-Key") { Variable = "BAD" } },
            definition with { Name = "adc", Port = 3, Credential = new ProxyCredential.GoogleAdc { File = lab.Write("adc.json", $"{{ \"type\": \"{Canary}\" ") } },
            definition with { Name = "aws", Port = 4, Credential = new ProxyCredential.AwsSigV4("s3", "eu-central-1") }));

        Assert.Equal(4, problem.Problems.Count);
        Assert.Contains("NOT_SET", problem.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Canary, problem.ToString(), StringComparison.Ordinal);
        Assert.False(File.Exists(socket));
    }

    [Fact]
    public async Task Credential_IsNeitherInAnswersNorInLogsNorInDecisionsWhateverFails()
    {
        await using var lab = new ProxyLab();
        lab.Environment["KEY"] = Canary;
        var answers = new Queue<string>(["garbage\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", "HTTP/1.1 99 Odd\r\n\r\n", $"HTTP/1.1 401 No\r\nX: \u0001\r\nContent-Length: 0\r\n\r\n"]);
        var server = LabServer.Answering((_, _) => answers.Dequeue());
        await lab.StartAsync(lab.To(server) with { Credential = new ProxyCredential.Static("X-Api-Key", "Key ") { Variable = "KEY" } });

        var seen = "";
        for (var i = 0; i < 4; i++)
        {
            seen += await lab.GetAsync($"/v1/{i}?key=in-the-query");
        }

        server.Dispose();
        seen += await lab.GetAsync();
        seen += await lab.GetAsync("/v1/../x");

        Assert.DoesNotContain(Canary, seen, StringComparison.Ordinal);
        Assert.DoesNotContain(Canary, lab.Logs.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(Canary, string.Concat(lab.Audit.Lines), StringComparison.Ordinal);
        Assert.DoesNotContain("in-the-query", string.Concat(lab.Audit.Lines), StringComparison.Ordinal);
        Assert.Equal(4, server.Requests.Count);
        Assert.All(server.Requests, request => Assert.Contains("X-Api-Key: Key " + Canary, request.Head, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Decision_ThatCannotBeWrittenDownIsADenial()
    {
        await using var lab = new ProxyLab();
        var server = LabServer.Answering((_, _) => ProxyLab.Ok);
        await lab.StartAsync(lab.To(server));
        lab.Audit.IsBroken = true;

        var answer = await lab.GetAsync();

        Assert.StartsWith("HTTP/1.1 503 ", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("secret-place", answer, StringComparison.Ordinal);
        Assert.Equal(0, server.Connections);
    }

    [Fact]
    public async Task SlowTarget_IsGivenUp()
    {
        await using var lab = new ProxyLab();
        var over = new TaskCompletionSource();
        await lab.StartAsync(lab.To(LabServer.Raw(_ => over.Task)) with { AnswerTimeout = TimeSpan.FromMilliseconds(100) });

        Assert.Contains("X-Gjoll-Rule: answer-too-slow", await lab.GetAsync(), StringComparison.Ordinal);
        over.SetResult();
    }

    [Fact]
    public async Task Head_HasALengthAndNoBody()
    {
        await using var lab = new ProxyLab();
        await lab.StartAsync(lab.To(LabServer.Answering((_, _) => "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\nConnection: close\r\n\r\n")));

        var answer = await lab.AskAsync("HEAD /v1/x HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 200 ", answer, StringComparison.Ordinal);
        Assert.Contains("Content-Length: 1234\r\n", answer, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\n", answer, StringComparison.Ordinal);
    }
}
