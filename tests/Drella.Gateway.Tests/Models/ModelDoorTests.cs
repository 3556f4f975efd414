using System.Net;
using System.Text;
using Drella.Core.Sandboxes;
using Drella.Gateway.Models;
using Drella.Gateway.Tests.Doors;
using Microsoft.AspNetCore.Http;

namespace Drella.Gateway.Tests.Models;

public sealed class ModelDoorTests
{
    private const string Ask = """{"model":"claude-opus-9", "max_tokens": 128000,"x":[1.50]}""";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Call_FixesModelCapAndCredentialAndKeepsTheRest()
    {
        await using var provider = await Provider.StreamingAsync();
        await using var house = await House.OpenAsync(provider.Upstream);

        using var answer = await house.PostAsync(Ask, path: "/v1/messages?beta=true", headers: [("x-api-key", "planted"), ("anthropic-version", "2023-06-01"), ("cookie", "a=b")]);

        Assert.Equal(Provider.Head + Provider.Tail, await answer.Content.ReadAsStringAsync(Stop));
        Assert.Equal("""{"model":"claude-sonnet-4-5", "max_tokens": 1000,"x":[1.50]}""", provider.Body);
        Assert.Equal(House.Key, provider.Headers["x-api-key"]);
        Assert.Equal("2023-06-01", provider.Headers["anthropic-version"]);
        Assert.False(provider.Headers.ContainsKey("authorization"));
        Assert.False(provider.Headers.ContainsKey("cookie"));
        var usage = await house.Ledger.NextSettledAsync();
        Assert.Equal((7, 42, 200), (usage.Input, usage.Output, usage.Status));
        Assert.NotNull(house.Gatehouse.LastModelActivity(House.Name));
    }

    [Fact]
    public async Task Stream_PassesFirstBytesBeforeTheProviderGoesOn()
    {
        var goOn = new TaskCompletionSource();
        await using var provider = await Provider.StartAsync(async (context, _) =>
        {
            context.Response.ContentType = "text/event-stream";
            await context.Response.WriteAsync(Provider.Head, Stop);
            await goOn.Task;
            await context.Response.WriteAsync(Provider.Tail, Stop);
        });
        await using var house = await House.OpenAsync(provider.Upstream);

        using var answer = await house.PostAsync(Ask);
        await using var body = await answer.Content.ReadAsStreamAsync(Stop);
        var first = new byte[Provider.Head.Length];
        await body.ReadExactlyAsync(first, Stop);
        Assert.Equal(Provider.Head, Encoding.UTF8.GetString(first));

        goOn.SetResult();
        using var rest = new StreamReader(body);
        Assert.Equal(Provider.Tail, await rest.ReadToEndAsync(Stop));
    }

    [Theory]
    [InlineData("/v1/models")]
    [InlineData("/v1/messages?beta=false")]
    [InlineData("/v1/messages/batches")]
    [InlineData("/v1/files")]
    public async Task Call_IsRefusedElsewhere(string path)
    {
        await using var provider = await Provider.StreamingAsync();
        await using var house = await House.OpenAsync(provider.Upstream);

        using var answer = await house.PostAsync(Ask, path: path);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Contains("not_found_error", await answer.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        Assert.Equal(0, provider.Calls);
        Assert.False(Assert.Single(house.Audit.Decisions).Allowed);
    }

    [Fact]
    public async Task Token_OfAnotherSandboxOrOfBeforeIsRefused()
    {
        await using var provider = await Provider.StreamingAsync();
        await using var house = await House.OpenAsync(provider.Upstream);
        var other = new SandboxName("j0123456789ac-1");
        await house.Gatehouse.OpenAsync(other, Stop);
        var foreign = house.Gatehouse.Admit(other, House.Producer, EgressPolicy.Nothing, House.Policy);
        var old = house.Token;
        var now = house.Gatehouse.Admit(House.Name, House.Producer with { Round = 2 }, EgressPolicy.Nothing, House.Policy);

        foreach (var token in new[] { foreign, old, "", new string('x', 10_000) })
        {
            using var answer = await house.PostAsync(Ask, token);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
            Assert.Equal("false", answer.Headers.GetValues("x-should-retry").Single());
        }

        using var fine = await house.PostAsync(Ask, now);
        Assert.Equal(HttpStatusCode.OK, fine.StatusCode);
        house.Gatehouse.Dismiss(House.Name);
        using var after = await house.PostAsync(Ask, now);
        Assert.Equal(HttpStatusCode.Unauthorized, after.StatusCode);
        Assert.Equal(5, house.Audit.Decisions.Count);
    }

    [Fact]
    public async Task Dismiss_CutsTheCallUnderWayAndSettlesIt()
    {
        await using var provider = await Provider.StartAsync(async (context, _) =>
        {
            context.Response.ContentType = "text/event-stream";
            await context.Response.WriteAsync(Provider.Head, Stop);
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        });
        await using var house = await House.OpenAsync(provider.Upstream);
        using var answer = await house.PostAsync(Ask);
        await using var body = await answer.Content.ReadAsStreamAsync(Stop);
        await body.ReadExactlyAsync(new byte[Provider.Head.Length], Stop);

        house.Gatehouse.Dismiss(House.Name);

        await Assert.ThrowsAnyAsync<IOException>(() => body.ReadExactlyAsync(new byte[1], Stop).AsTask());
        var usage = await house.Ledger.NextSettledAsync();
        Assert.Equal(7, usage.Input);
    }

    [Fact]
    public async Task Budget_IsNeverPassedWhenManyCallAtOnce()
    {
        await using var provider = await Provider.StreamingAsync();
        await using var house = await House.OpenAsync(provider.Upstream, new ModelOptions { Tries = 1, MaxCallsPerSandbox = 64 }, limit: 100_000);

        var statuses = await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ =>
        {
            using var answer = await house.PostAsync(Ask);
            await answer.Content.ReadAsStringAsync(Stop);
            return answer.StatusCode;
        }));

        Assert.All(statuses, status => Assert.True(status is HttpStatusCode.OK or HttpStatusCode.Forbidden));
        Assert.Contains(HttpStatusCode.OK, statuses);
        Assert.InRange(house.Ledger.HighestCommitted, 1, 100_000);
    }

    [Fact]
    public async Task Budget_SaysBillingErrorWithoutRetryWhenUsedUp()
    {
        await using var provider = await Provider.StreamingAsync();
        await using var house = await House.OpenAsync(provider.Upstream, limit: 10);

        using var answer = await house.PostAsync(Ask);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Equal("false", answer.Headers.GetValues("x-should-retry").Single());
        Assert.Contains("billing_error", await answer.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        Assert.Equal(0, provider.Calls);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(500)]
    public async Task Error_NeverShowsTheKey(int status)
    {
        await using var provider = await Provider.StartAsync((context, _) =>
        {
            context.Response.StatusCode = status;
            return context.Response.WriteAsync("bad key " + House.Key, Stop);
        });
        await using var house = await House.OpenAsync(provider.Upstream);

        using var answer = await house.PostAsync(Ask);

        Assert.DoesNotContain(House.Key, answer.Headers + await answer.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        Assert.Equal(0, (await house.Ledger.NextSettledAsync()).Cost);
    }

    [Fact]
    public async Task Overload_IsAbsorbed()
    {
        var count = 0;
        await using var provider = await Provider.StartAsync((context, _) =>
        {
            if (Interlocked.Increment(ref count) < 4)
            {
                context.Response.StatusCode = 529;
                context.Response.Headers.RetryAfter = "0";
                return Task.CompletedTask;
            }

            context.Response.ContentType = "text/event-stream";
            return context.Response.WriteAsync(Provider.Head + Provider.Tail, Stop);
        });
        await using var house = await House.OpenAsync(provider.Upstream, new ModelOptions());

        using var answer = await house.PostAsync(Ask);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(4, provider.Calls);
    }

    [Theory]
    [InlineData("""{"model":"a","model":"b"}""")]
    [InlineData("""{"model":"a","mod\u0065l":"b"}""")]
    [InlineData("[]")]
    [InlineData("{} {}")]
    [InlineData("")]
    [InlineData("""{"model":{}}""")]
    [InlineData("""{"messages":[{"role":"user","content":[{"type":"text","type":"image","source":{}}]}]}""")]
    public void Body_IsRefusedWhenItCouldBeReadTwoWays(string body) =>
        Assert.Null(RequestBody.Fix(Encoding.UTF8.GetBytes(body), House.Policy, countsOnly: false));

    [Theory]
    [InlineData("""{"mcp_servers":[{"type":"url","url":"https://evil.test/mcp","name":"x"}]}""", "mcp_servers")]
    [InlineData("""{"mcp\u005fservers":[{"type":"url","url":"https://evil.test/mcp","name":"x"}]}""", "mcp_servers")]
    [InlineData("""{"container":"c1"}""", "container")]
    [InlineData("""{"tools":[{"name":"Bash"},{"type":"web_fetch_20250910","name":"web_fetch"}]}""", "tools")]
    [InlineData("""{"tools":[{"type":"web_search_20250305","name":"web_search"}]}""", "tools")]
    [InlineData("""{"tools":[{"type":"code_execution_20250825","name":"code_execution"}]}""", "tools")]
    [InlineData("""{"tools":[{"type":"mcp_toolset","mcp_server_name":"x"}]}""", "tools")]
    [InlineData("""{"tools":[{"type":"some_tool_of_tomorrow","name":"x"}]}""", "tools")]
    [InlineData("""{"tools":{"type":"web_fetch_20250910"}}""", "tools")]
    [InlineData("""{"messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":"https://evil.test/?canary"}}]}]}""", "image source")]
    [InlineData("""{"messages":[{"role":"user","content":[{"type":"document","source":{"type":"file","file_id":"file_of_another"}}]}]}""", "document source")]
    [InlineData("""{"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"image","source":{"type":"url","url":"https://evil.test/"}}]}]}]}""", "image source")]
    [InlineData("""{"messages":[{"role":"user","content":[{"type":"document","source":{"type":"content","content":[{"type":"image","source":{"type":"url","url":"https://evil.test/"}}]}}]}]}""", "image source")]
    [InlineData("""{"messages":[{"role":"user","content":[{"type":"container_upload","file_id":"f"}]}]}""", "container_upload")]
    public async Task Body_ThatSendsTheProviderOutIsRefusedAndWrittenDown(string body, string member)
    {
        await using var provider = await Provider.StreamingAsync();
        await using var house = await House.OpenAsync(provider.Upstream);

        using var answer = await house.PostAsync(body);
        using var counted = await house.PostAsync(body, path: "/v1/messages/count_tokens");

        Assert.Equal((HttpStatusCode.BadRequest, HttpStatusCode.BadRequest), (answer.StatusCode, counted.StatusCode));
        Assert.Contains($"Closed here: {member}.", await answer.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        Assert.Equal(0, provider.Calls);
        Assert.Equal(2, house.Audit.Decisions.Count(decision => !decision.Allowed));
    }

    [Theory]
    [InlineData("""{"mcp_servers":[],"container":null,"tools":[{"name":"Bash","input_schema":{}},{"type":"custom","name":"x"},{"type":"bash_20250124","name":"bash"}]}""")]
    [InlineData("""{"system":[{"type":"text","text":"s"}],"messages":[{"role":"user","content":"plain"},{"role":"user","content":[{"type":"image","source":{"type":"base64","data":"AA=="}}]}]}""")]
    [InlineData("""{"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"fetch","input":{"source":{"type":"url","url":"x"},"type":"image","content":"y"}}]}]}""")]
    public void Body_OfAnAgentThatStaysAtHomePasses(string body) =>
        Assert.Null(RequestBody.Fix(Encoding.UTF8.GetBytes(body), House.Policy, countsOnly: false)!.Hosted);

    [Theory]
    [InlineData("{}", """{"model":"claude-sonnet-4-5","max_tokens":1000}""")]
    [InlineData("""{"a":{"model":"z"}}""", """{"model":"claude-sonnet-4-5","max_tokens":1000,"a":{"model":"z"}}""")]
    [InlineData("""{"max_tokens":5,"a":1}""", """{"model":"claude-sonnet-4-5","max_tokens":5,"a":1}""")]
    public void Body_GetsWhatItLacks(string body, string expected) =>
        Assert.Equal(expected, Encoding.UTF8.GetString(RequestBody.Fix(Encoding.UTF8.GetBytes(body), House.Policy, countsOnly: false)!.Bytes.Span));

    [Fact]
    public void Meter_CountsWhateverTheChunksAre()
    {
        var text = Encoding.UTF8.GetBytes("data: {nope\r\n\r\ndata: message_delta " + new string('x', 400_000) + "\n" + Provider.Head + Provider.Tail.TrimEnd('\n'));
        foreach (var size in new[] { 1, 3, 17, 4096, text.Length })
        {
            var meter = new UsageMeter(isStream: true);
            foreach (var chunk in text.Chunk(size))
            {
                meter.Feed(chunk);
            }

            meter.Complete();
            Assert.Equal((7, 42, true), (meter.Input, meter.Output, meter.Finished));
        }
    }
}
