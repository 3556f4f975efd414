using System.Text.Json;
using Drella.Core.Tools;
using ModelContextProtocol.Protocol;

namespace Drella.Gateway.Tests.Tools;

public sealed class ToolsDoorTests
{
    private const string Progress = """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"report_progress","arguments":{"text":"hi"}}}""";

    [Theory]
    [InlineData("producer", "submit_verdict", "open_pr")]
    [InlineData("validator", "open_pr", "submit_verdict")]
    public async Task List_ShowsWhatTheRoleIsGranted(string role, string hidden, string shown)
    {
        await using var lab = await ToolsLab.StartAsync();
        lab.Admission = Admissions.Make(CancellationToken.None, role);
        await using var client = await lab.ConnectAsync();

        var tools = await client.ListToolsAsync(cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal("factory", client.ServerInfo?.Name);
        Assert.Contains(tools, tool => tool.Name == shown);
        Assert.DoesNotContain(tools, tool => tool.Name == hidden);
        Assert.All(tools, tool => Assert.False(tool.JsonSchema.GetProperty("additionalProperties").GetBoolean()));
    }

    [Fact]
    public async Task Call_ReachesTheDeskAndItsAnswerComesBack()
    {
        await using var lab = await ToolsLab.StartAsync();
        await using var client = await lab.ConnectAsync();

        var result = await client.CallToolAsync(
            "open_pr", new Dictionary<string, object?> { ["title"] = "Add login", ["body"] = "Why" }, cancellationToken: TestContext.Current.CancellationToken);

        Assert.NotEqual(true, result.IsError);
        Assert.Equal("done open_pr", Text(result));
        var call = Assert.Single(lab.Desk.Calls);
        Assert.Equal("Add login", call.Arguments.GetProperty("title").GetString());
        Assert.StartsWith("rpc-", call.CallId, StringComparison.Ordinal);
        Assert.Empty(lab.Audit.Lines);
    }

    [Theory]
    [InlineData("\"toolu_01Ab-c\"", "toolu_01Ab-c")]
    [InlineData("\"bad id\"", null)]
    [InlineData("\"\"", null)]
    [InlineData("7", null)]
    [InlineData("{}", null)]
    public async Task CallId_IsTheAgentsOwnWhenItIsSane(string given, string? expected)
    {
        await using var lab = await ToolsLab.StartAsync();
        var message = Progress.Replace("\"params\":{", "\"params\":{\"_meta\":{\"claudecode/toolUseId\":" + given + "},", StringComparison.Ordinal);

        Assert.Equal(200, (await lab.PostAsync(message)).Status);
        Assert.Equal(200, (await lab.PostAsync(message)).Status);

        var ids = lab.Desk.Calls.Select(call => call.CallId).ToArray();
        Assert.Equal(ids[0], ids[1]);
        Assert.True(expected is null ? ids[0].StartsWith("rpc-", StringComparison.Ordinal) : ids[0] == expected);
    }

    [Theory]
    [InlineData("submit_verdict", "{}", "not-granted")]
    [InlineData("no_such", "{}", "not-granted")]
    [InlineData("Open_PR", "{}", "not-granted")]
    [InlineData("open_pr", """{"title":"a\nb","body":"x"}""", "arguments")]
    [InlineData("open_pr", """{"title":"a","body":"x","repo":"ACME/other"}""", "arguments")]
    [InlineData("open_pr", "{}", "arguments")]
    public async Task Call_IsRefusedBeforeTheDeskAndAudited(string tool, string arguments, string rule)
    {
        await using var lab = await ToolsLab.StartAsync();

        var (status, text) = await lab.PostAsync(
            $$$"""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"{{{tool}}}","arguments":{{{arguments}}}}}""");

        Assert.Equal(200, status);
        Assert.Contains("\"isError\":true", text, StringComparison.Ordinal);
        Assert.Empty(lab.Desk.Calls);
        Assert.Equal(("tools", tool, false, rule), (lab.Audit.Single.Door, lab.Audit.Single.Target, lab.Audit.Single.Allowed, lab.Audit.Single.Rule));
    }

    [Fact]
    public async Task Failure_OfOursIsAReferenceAndNothingElse()
    {
        await using var lab = await ToolsLab.StartAsync();
        lab.Desk.Answer = (_, _) => throw new InvalidOperationException("git -C /srv/secret/repo push https://x:TOKEN@forge");

        var (status, text) = await lab.PostAsync(Progress);

        Assert.Equal(200, status);
        Assert.Matches("internal error, reference [0-9a-f]{12}", text);
        Assert.DoesNotContain("/srv", text, StringComparison.Ordinal);
        Assert.DoesNotContain("TOKEN", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task BrokenAudit_LeaksNothingAndStillRefuses()
    {
        await using var lab = await ToolsLab.StartAsync();
        lab.Audit.IsBroken = true;

        var (_, text) = await lab.PostAsync("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"no_such"}}""");
        var (status, _) = await lab.SendAsync("GET /mcp HTTP/1.1\r\nHost: evil\r\nConnection: close\r\n\r\n");

        Assert.Contains("\"isError\":true", text, StringComparison.Ordinal);
        Assert.DoesNotContain("/var", text, StringComparison.Ordinal);
        Assert.Equal(403, status);
    }

    [Theory]
    [InlineData("POST /mcp HTTP/1.1\r\nHost: evil.test\r\n", 403, "host")]
    [InlineData("POST /mcp HTTP/1.1\r\nHost: 127.0.0.1.evil.test\r\n", 403, "host")]
    [InlineData("POST /mcp HTTP/1.1\r\nHost: 127.1\r\n", 403, "host")]
    [InlineData("POST /mcp HTTP/1.1\r\nHost: [::1]\r\n", 403, "host")]
    [InlineData("POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: https://evil.test\r\n", 403, "origin")]
    [InlineData("POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: null\r\n", 403, "origin")]
    [InlineData("POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:18003\r\nOrigin: http://127.0.0.1:18002\r\n", 403, "origin")]
    [InlineData("GET /anything HTTP/1.1\r\nHost: evil.test\r\n", 403, "host")]
    [InlineData("POST /mcp/ HTTP/1.1\r\nHost: localhost\r\n", 404, "path")]
    [InlineData("POST /.well-known/oauth-protected-resource HTTP/1.1\r\nHost: localhost\r\n", 404, "path")]
    [InlineData("GET /mcp HTTP/1.1\r\nHost: localhost:18003\r\n", 405, "method")]
    [InlineData("DELETE /mcp HTTP/1.1\r\nHost: localhost\r\n", 405, "method")]
    [InlineData("POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n", 401, "token")]
    [InlineData("POST /mcp?token=t0ken-of-this-sandbox HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n", 401, "token")]
    [InlineData("POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer token-of-another\r\n", 401, "token")]
    [InlineData("POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic dDp0\r\n", 401, "token")]
    [InlineData("POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer t0ken-of-this-sandbox, Bearer x\r\n", 401, "token")]
    [InlineData("POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-Api-Key: t0ken-of-this-sandbox\r\nMcp-Session-Id: 1\r\n", 401, "token")]
    [InlineData("POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer t0ken-of-this-sandbox\r\nContent-Type: text/plain\r\n", 415, "content-type")]
    [InlineData("POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer t0ken-of-this-sandbox\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n", 415, "content-type")]
    [InlineData("POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer t0ken-of-this-sandbox\r\nContent-Type: application/json\r\nContent-Length: 9000000\r\n", 413, "body-size")]
    public async Task Request_IsRefusedForItsHead(string head, int status, string rule)
    {
        await using var lab = await ToolsLab.StartAsync();

        var (answered, text) = await lab.SendAsync(head + "Connection: close\r\n\r\n{}");

        Assert.Equal(status, answered);
        Assert.Empty(text[(text.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..].Trim('0', '\r', '\n'));
        Assert.Equal((false, rule), (lab.Audit.Single.Allowed, lab.Audit.Single.Rule));
        Assert.DoesNotContain(Admissions.Token, lab.Audit.Single.Target, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Token_DiesWithItsAdmission()
    {
        await using var lab = await ToolsLab.StartAsync();
        lab.Admission = null;

        Assert.Equal(401, (await lab.PostAsync(Progress)).Status);
        Assert.Equal("not-admitted", lab.Audit.Single.Rule);
        Assert.Empty(lab.Desk.Calls);
    }

    [Fact]
    public async Task HostileMessages_GetAnErrorAndTheDoorStaysUp()
    {
        await using var lab = await ToolsLab.StartAsync();
        foreach (var row in RpcGuardTests.Hostile)
        {
            var (status, text) = await lab.PostAsync(row.Data.Item1);

            Assert.Equal(400, status);
            Assert.Contains($"\"code\":{row.Data.Item2}", text, StringComparison.Ordinal);
        }

        var (large, _) = await lab.PostAsync($$$"""{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"{{{new string('x', 1 << 20)}}}"}}""");
        Assert.Equal(400, large);
        Assert.Equal(200, (await lab.PostAsync(Progress)).Status);
    }

    [Fact]
    public async Task Discovery_FallsBackToInitialize()
    {
        await using var lab = await ToolsLab.StartAsync();

        var discover = await lab.PostAsync("""{"jsonrpc":"2.0","id":0,"method":"server/discover","params":{}}""");
        var initialize = await lab.PostAsync(
            """{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}""");
        var initialized = await lab.PostAsync("""{"jsonrpc":"2.0","method":"notifications/initialized"}""");
        var list = await lab.PostAsync("""{"jsonrpc":"2.0","id":2,"method":"tools/list","params":{}}""");
        var unknown = await lab.PostAsync("""{"jsonrpc":"2.0","id":3,"method":"resources/read","params":{"uri":"file:///etc/passwd"}}""");

        Assert.InRange(discover.Status, 200, 499);
        Assert.Contains("\"name\":\"factory\"", initialize.Text, StringComparison.Ordinal);
        Assert.Equal(202, initialized.Status);
        Assert.Contains("report_progress", list.Text, StringComparison.Ordinal);
        Assert.Contains("\"error\"", unknown.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Calls_AreBoundedInAMinute()
    {
        await using var lab = await ToolsLab.StartAsync(options => options.CallsPerMinute = 3);
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(200, (await lab.PostAsync(Progress)).Status);
        }

        Assert.Equal(3, lab.Desk.Calls.Count);
        Assert.Equal(["rate", "rate"], lab.Audit.Lines.Select(line => line.Decision.Rule));
    }

    [Fact]
    public async Task Requests_AreBoundedInAMinute()
    {
        await using var lab = await ToolsLab.StartAsync(options => options.RequestsPerMinute = 1);

        Assert.Equal(200, (await lab.PostAsync(Progress)).Status);
        Assert.Equal(429, (await lab.PostAsync(Progress)).Status);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task DeskLearns_WhenTheCallerGoesOrTheAdmissionEnds(bool isCaller)
    {
        await using var lab = await ToolsLab.StartAsync();
        var begun = new TaskCompletionSource();
        var cancelled = new TaskCompletionSource();
        lab.Desk.Answer = async (_, cancellationToken) =>
        {
            using var registration = cancellationToken.Register(cancelled.SetResult);
            begun.SetResult();
            await cancelled.Task;
            return ToolAnswer.Ok("finished all the same");
        };
        await using var client = await lab.ConnectAsync();
        using var caller = new CancellationTokenSource();
        var call = client.CallToolAsync(
            "report_progress", new Dictionary<string, object?> { ["text"] = "x" }, cancellationToken: caller.Token).AsTask();
        await begun.Task.WaitAsync(TestContext.Current.CancellationToken);

        if (isCaller)
        {
            await caller.CancelAsync();
        }
        else
        {
            lab.End();
        }

        await cancelled.Task.WaitAsync(TestContext.Current.CancellationToken);
        if (isCaller)
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
            lab.Desk.Answer = (_, _) => Task.FromResult(ToolAnswer.Ok("ok"));
            Assert.Equal(200, (await lab.PostAsync(Progress)).Status);
        }
        else
        {
            await caller.CancelAsync();
            await Task.WhenAny(call);
        }
    }

    [Fact]
    public async Task Picture_OfFiveMebibytesPasses()
    {
        await using var lab = await ToolsLab.StartAsync();
        var data = Convert.ToBase64String(new byte[5 << 20]);

        var (status, text) = await lab.PostAsync(
            $$$"""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"upload_image","arguments":{"filename":"a.png","data":"{{{data}}}" } } }""");

        Assert.Equal(200, status);
        Assert.Contains("done upload_image", text, StringComparison.Ordinal);
    }

    private static string Text(CallToolResult result) => Assert.IsType<TextContentBlock>(Assert.Single(result.Content)).Text;
}
