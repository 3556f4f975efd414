using System.Text.Json.Nodes;
using System.Threading.Channels;
using Drella.Forge.Webhooks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Drella.Forge.Tests;

public sealed class WebhookTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public void Sign_AgreesWithGitHubsOwnVector() => Assert.Equal(
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17", DeliveryLoop.Sign("It's a Secret to Everybody", "Hello, World!"u8));

    [Fact]
    public async Task Events_ArriveSignedInOrderAndCanBeSentAgain()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var forge = await ForgeHost.StartAsync(Stop);
        var hook = (await forge.Post("/repos/octo/app/hooks", new { config = new { url = receiver.Url, secret = "s3cret" }, events = new[] { "*" } })).Expect(201)["id"].ToString();
        (await forge.Post("/repos/octo/app/hooks", new { config = new { url = receiver.Url } })).Expect(422);
        (await forge.Post("/repos/octo/app/hooks", new { config = new { url = "file:///etc/passwd" } })).Expect(422);
        await forge.Commit("feature", "src/a.txt", "1\n2\nTHREE\n4\n5\n6\n7\n8\n9\n");
        var n = await forge.Pull("feature", draft: true);
        var id = (await forge.Get($"/repos/octo/app/pulls/{n}"))["node_id"].ToString();
        await forge.GraphQl("mutation($i: ID!) { markPullRequestReadyForReview(input: {pullRequestId: $i}) { pullRequest { id } } }", new { i = id });
        (await forge.Post($"/repos/octo/app/issues/{n}/comments", new { body = "Hi" })).Expect(201);
        (await forge.Post($"/repos/octo/app/pulls/{n}/reviews", new { @event = "COMMENT", body = "b", comments = new[] { new { path = "src/a.txt", line = 3, body = "c" } } })).Expect(200);
        await forge.Commit("feature", "b.txt", "b\n");
        (await forge.Put($"/repos/octo/app/pulls/{n}/merge", new { })).Expect(200);

        string[] expected =
        [
            "ping", "push", "push", "pull_request.opened", "pull_request.ready_for_review", "issue_comment.created", "pull_request_review.submitted",
            "pull_request_review_comment.created", "push", "pull_request.synchronize", "pull_request.closed", "push",
        ];
        var seen = new List<Delivery>();
        foreach (var name in expected)
        {
            var delivery = await receiver.NextAsync();
            Assert.Equal(name, delivery.Name);
            Assert.Equal(DeliveryLoop.Sign("s3cret", delivery.Body), delivery.Signature);
            Assert.Equal("octo/app", delivery.Json["repository"]!["full_name"]!.ToString());
            seen.Add(delivery);
        }

        Assert.Equal(7, Guid.Parse(seen[0].Guid).Version);
        Assert.Equal(seen.Count, seen.Select(d => d.Guid).Distinct().Count());
        Assert.True((bool)seen[10].Json["pull_request"]!["merged"]!);
        var list = (await forge.Get($"/repos/octo/app/hooks/{hook}/deliveries?per_page=5")).Expect(200);
        Assert.Contains("cursor=", list.Message.Headers.GetValues("Link").Single(), StringComparison.Ordinal);
        var old = list.Json![0]!;
        (await forge.Get($"/repos/octo/app/hooks/{hook}/deliveries/{old["id"]}")).Expect(200);
        (await forge.Post($"/repos/octo/app/hooks/{hook}/deliveries/{old["id"]}/attempts")).Expect(202);
        Assert.Equal(old["guid"]!.ToString(), (await receiver.NextAsync()).Guid);

        Assert.Equal("********", (await forge.Get($"/repos/octo/app/hooks/{hook}")).Expect(200)["config"]["secret"]!.ToString());
        (await forge.Post($"/repos/octo/app/hooks/{hook}/pings")).Expect(204);
        Assert.Equal("ping", (await receiver.NextAsync()).Name);
        (await forge.Patch($"/repos/octo/app/hooks/{hook}", new { events = new[] { "push" }, active = false })).Expect(200);
        Assert.Single((await forge.Get("/repos/octo/app/hooks")).Expect(200).Json!.AsArray());
        (await forge.Delete($"/repos/octo/app/hooks/{hook}")).Expect(204);
        (await forge.Get($"/repos/octo/app/hooks/{hook}")).Expect(404);
    }

    [Fact]
    public async Task Delivery_ThatFailsIsRecordedAndNotRepeated()
    {
        await using var receiver = await Receiver.StartAsync(status: 500);
        await using var forge = await ForgeHost.StartAsync(Stop);
        var hook = forge.Server.Admin.EnsureWebhook("octo", "app", receiver.Url, "s", ["issues"]);
        Assert.Equal(hook, forge.Server.Admin.EnsureWebhook("octo", "app", receiver.Url, "s", ["issues"]));
        (await forge.Post("/repos/octo/app/issues", new { title = "One" })).Expect(201);
        await receiver.NextAsync();
        (await forge.Post("/repos/octo/app/issues", new { title = "Two" })).Expect(201);
        Assert.Equal("Two", (await receiver.NextAsync()).Json["issue"]!["title"]!.ToString());
    }

    private sealed record Delivery(string Event, string Guid, string? Signature, byte[] Body)
    {
        public JsonNode Json => JsonNode.Parse(Body)!;

        public string Name => Json["action"] is { } action ? $"{Event}.{action}" : Event;
    }

    private sealed class Receiver : IAsyncDisposable
    {
        private readonly Channel<Delivery> _deliveries = Channel.CreateUnbounded<Delivery>();
        private readonly WebApplication _app;

        private Receiver(WebApplication app, int status)
        {
            _app = app;
            app.MapPost("/hook", async context =>
            {
                using var body = new MemoryStream();
                await context.Request.Body.CopyToAsync(body);
                var headers = context.Request.Headers;
                context.Response.StatusCode = status;
                await _deliveries.Writer.WriteAsync(new Delivery(headers["X-GitHub-Event"]!, headers["X-GitHub-Delivery"]!, headers["X-Hub-Signature-256"], body.ToArray()));
            });
        }

        public string Url => _app.Urls.First() + "/hook";

        public static async Task<Receiver> StartAsync(int status = 202)
        {
            var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
            builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
            builder.Services.AddRoutingCore();
            var receiver = new Receiver(builder.Build(), status);
            await receiver._app.StartAsync(Stop);
            return receiver;
        }

        public async Task<Delivery> NextAsync()
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(Stop);
            patience.CancelAfter(TimeSpan.FromSeconds(20));
            return await _deliveries.Reader.ReadAsync(patience.Token);
        }

        public async ValueTask DisposeAsync() => await _app.DisposeAsync();
    }
}
