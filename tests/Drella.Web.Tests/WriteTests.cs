using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Drella.Core.Agents;
using Drella.Core.Jobs;
using Drella.Core.Tools;
using Drella.Testing.Fakes;
using Drella.Web.Api;

namespace Drella.Web.Tests;

public sealed class WriteTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Cancel_IsDoneOnceWhenManyAskAtTheSameTime()
    {
        await using var house = await WebHouse.OpenAsync();
        var live = await house.JobAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => PostAsync(house, $"/api/jobs/{live.Job.Id}/cancel", new { reason = "enough" })));

        Assert.Single(answers, answer => answer.Status == HttpStatusCode.OK);
        Assert.All(answers.Where(answer => answer.Status != HttpStatusCode.OK), answer => Assert.Equal(HttpStatusCode.Conflict, answer.Status));
        Assert.Equal(JobConclusion.Cancelled, live.Job.Conclusion);
        Assert.Equal("operator", live.Job.Cancel?.By);
    }

    [Fact]
    public async Task Write_IsAConflictWithASentenceWhenItLeadsToNothing()
    {
        await using var house = await WebHouse.OpenAsync();
        var live = await house.JobAsync();
        foreach (var (verb, body) in new (string, object)[] { ("retry", new { }), ("continue", new { }), ("answer", new { answer = "yes" }), ("steer", new { message = "go" }) })
        {
            var (status, json) = await PostAsync(house, $"/api/jobs/{live.Job.Id}/{verb}", body);

            Assert.Equal(HttpStatusCode.Conflict, status);
            Assert.NotEmpty(json.GetProperty("error").GetString()!);
        }

        Assert.Equal(1, live.Job.Sequence);
    }

    [Fact]
    public async Task Visit_IsWrittenDownAndEnds()
    {
        await using var house = await WebHouse.OpenAsync();
        var live = await house.JobAsync(null, [.. Some.AtWork("t"), new JobEntry.SandboxReady("s-1", "fake")]);

        var (status, json) = await PostAsync(house, $"/api/jobs/{live.Job.Id}/visit", new { command = new string('x', 5000) });
        var (ended, _) = await PostAsync(house, $"/api/jobs/{live.Job.Id}/visit/end", new { });

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal("s-1", json.GetProperty("sandbox").GetString());
        Assert.True(json.GetProperty("woken").GetBoolean());
        Assert.Equal(HttpStatusCode.OK, ended);
        Assert.Equal([live.Job.Id], house.VisitsEnded);
        var lines = await house.Client.GetStringAsync($"/api/jobs/{live.Job.Id}/entries", Cancellation);
        using var entered = JsonDocument.Parse(lines.Split('\n').Single(line => line.Contains("sandbox.entered", StringComparison.Ordinal)));
        Assert.Equal(2000, entered.RootElement.GetProperty("payload").GetProperty("command").GetString()!.Length);
    }

    [Fact]
    public async Task Visit_IsAConflictWhenThereIsNoSandbox()
    {
        await using var house = await WebHouse.OpenAsync();
        var live = await house.JobAsync();

        var (status, json) = await PostAsync(house, $"/api/jobs/{live.Job.Id}/visit", new { });

        Assert.Equal(HttpStatusCode.Conflict, status);
        Assert.NotEmpty(json.GetProperty("error").GetString()!);
        Assert.Equal(HttpStatusCode.NotFound, (await PostAsync(house, "/api/jobs/j000000000000/visit", new { })).Status);
    }

    [Theory]
    [InlineData("cancel", "{")]
    [InlineData("cancel", "[]")]
    [InlineData("cancel", "")]
    [InlineData("continue", "{\"budget\":\"much\"}")]
    [InlineData("continue", "{\"budget\":1e400}")]
    public async Task Write_IsABadRequestWhenTheBodyIsNotItsShape(string verb, string body)
    {
        await using var house = await WebHouse.OpenAsync();
        var live = await house.JobAsync();

        using var answer = await house.Client.PostAsync($"/api/jobs/{live.Job.Id}/{verb}", new StringContent(body, Encoding.UTF8, "application/json"), Cancellation);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.True((await answer.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).TryGetProperty("error", out _));
        Assert.Equal(1, live.Job.Sequence);
    }

    [Fact]
    public async Task Write_IsRefusedWhenItsValueCannotBe()
    {
        await using var house = await WebHouse.OpenAsync();
        var live = await house.JobAsync(null, Some.AtWork("t"));

        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await PostAsync(house, $"/api/jobs/{live.Job.Id}/continue", new { budget = -1 })).Status);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await PostAsync(house, $"/api/jobs/{live.Job.Id}/steer", new { message = " " })).Status);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await PostAsync(house, $"/api/jobs/{live.Job.Id}/answer", new { })).Status);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await PostAsync(house, $"/api/jobs/{live.Job.Id}/cancel", new { reason = new string('x', 100_001) })).Status);
    }

    [Fact]
    public async Task Continue_RaisesTheBudgetInDollars()
    {
        await using var house = await WebHouse.OpenAsync();
        var live = await house.JobAsync(null, [.. Some.AtWork("t"), new JobEntry.WaitBegan(WaitKind.Budget, "no money", DateTimeOffset.MaxValue)]);

        var (status, json) = await PostAsync(house, $"/api/jobs/{live.Job.Id}/continue", new { note = "go on", budget = 12.5m });

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(12.5m, json.GetProperty("limit").GetDecimal());
        Assert.Null(live.Job.Wait);
        Assert.Equal("go on", live.Job.CauseDetail);
    }

    [Fact]
    public async Task Steer_ReachesTheAgentAtWorkAndTheJournal()
    {
        await using var house = await WebHouse.OpenAsync();
        var live = await house.JobAsync(null, Some.AtWork("t"));

        await PostAsync(house, $"/api/jobs/{live.Job.Id}/steer", new { message = "look at the tests" });

        Assert.Equal(new AgentControl.Steer("look at the tests"), await live.Control.Reader.ReadAsync(Cancellation));
        Assert.Contains("\"kind\":\"steered\"", await house.Client.GetStringAsync($"/api/jobs/{live.Job.Id}/entries", Cancellation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Spec_IsTakenWholeOrNotAtAll()
    {
        await using var house = await WebHouse.OpenAsync();
        var whole = "# Title\n" + new string('x', 200_000) + "\n";

        Assert.Equal(HttpStatusCode.Accepted, (await PostAsync(house, "/api/specs", new { text = whole, repo = "acme/app" })).Status);
        Assert.Equal(new OpenJobRequest(whole, "acme/app"), Assert.Single(house.Submitted));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await PostAsync(house, "/api/specs", new { text = new string('x', 300_000) })).Status);
        Assert.Single(house.Submitted);
        var (status, json) = await PostAsync(house, "/api/specs", new { text = "bad" });
        Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
        Assert.Equal("line 1: no", json.GetProperty("problems")[0].GetString());
    }

    [Fact]
    public async Task Spec_ThatDemandsASandboxIsTakenOnlyWhereJobsRunInIt()
    {
        await using var house = await WebHouse.OpenAsync();

        var (status, json) = await PostAsync(house, "/api/specs", new { text = "# Title", sandbox = "qemu" });

        Assert.Equal(HttpStatusCode.Conflict, status);
        Assert.Contains("run in fake", json.GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Empty(house.Submitted);
        foreach (var sandbox in new[] { "fake", "auto", null })
        {
            Assert.Equal(HttpStatusCode.Accepted, (await PostAsync(house, "/api/specs", new { text = "# Title", sandbox })).Status);
        }
    }

    [Fact]
    public async Task Form_SaysWhyWhenItWasRefused()
    {
        await using var house = await WebHouse.OpenAsync();
        var live = await house.JobAsync();
        using var form = new FormUrlEncodedContent([KeyValuePair.Create("text", "why"), KeyValuePair.Create("budget", "much")]);
        using var again = new FormUrlEncodedContent([KeyValuePair.Create("text", "why")]);
        using var twice = new FormUrlEncodedContent([KeyValuePair.Create("text", "why")]);
        using var nobody = new FormUrlEncodedContent([]);

        using var wrong = await house.Client.PostAsync($"/jobs/{live.Job.Id}/continue", form, Cancellation);
        using var done = await house.Client.PostAsync($"/jobs/{live.Job.Id}/cancel", again, Cancellation);
        using var late = await house.Client.PostAsync($"/jobs/{live.Job.Id}/cancel", twice, Cancellation);
        using var none = await house.Client.PostAsync("/jobs/nonsense/cancel", nobody, Cancellation);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, wrong.StatusCode);
        Assert.Equal($"/jobs/{live.Job.Id}", done.Headers.Location?.OriginalString);
        Assert.Equal(HttpStatusCode.Conflict, late.StatusCode);
        Assert.Contains("the job is over", await late.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, none.StatusCode);
    }

    [Fact]
    public async Task Write_AnswersWithAReasonWhenTheJournalTakesNothing()
    {
        await using var house = await WebHouse.OpenAsync();
        var live = await house.JobAsync();
        house.Journal.Fate = (_, _) => AppendFate.DiskFull;

        var (status, json) = await PostAsync(house, $"/api/jobs/{live.Job.Id}/cancel", new { reason = "x" });

        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Contains("disk", json.GetProperty("error").GetString(), StringComparison.Ordinal);
        house.Journal.Fate = null;
        Assert.Equal(HttpStatusCode.OK, (await PostAsync(house, $"/api/jobs/{live.Job.Id}/cancel", new { reason = "x" })).Status);
    }

    [Fact]
    public async Task Bug_OfOursIsNotTold()
    {
        await using var house = await WebHouse.OpenAsync();
        var live = await house.JobAsync();
        house.Diff = _ => throw new InvalidOperationException("inner secret");

        using var answer = await house.Client.GetAsync($"/api/jobs/{live.Job.Id}/diff", Cancellation);

        Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        Assert.DoesNotContain("inner secret", await answer.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ready_SaysWhatDoesNotWork()
    {
        await using var house = await WebHouse.OpenAsync();
        house.IsWell = false;

        using var answer = await house.Stranger.GetAsync("/readyz", Cancellation);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.False((await answer.Content.ReadFromJsonAsync<HealthReport>(WebServer.Wire, Cancellation))!.IsWell);
    }

    [Theory]
    [InlineData("a.png", "89504E470D0A1A0A00", "image/png")]
    [InlineData("a.html", "89504E470D0A1A0A00", "image/png")]
    [InlineData("a.jpg", "FFD8FFE000", "image/jpeg")]
    [InlineData("a.gif", "474946383961", "image/gif")]
    [InlineData("a.webp", "524946460000000057454250565038", "image/webp")]
    [InlineData("b.png", "3C7376673E", null)]
    [InlineData("c.png", "3C68746D6C3E", null)]
    [InlineData("d.webp", "5249464600000000415649204C4953", null)]
    [InlineData("e.pdf", "255044462D312E37", null)]
    public async Task Image_IsServedAsWhatItsFirstBytesSay(string file, string hex, string? type)
    {
        await using var house = await WebHouse.OpenAsync();
        var live = await house.JobAsync();
        await house.BlobAsync(ImageShelf.NameOf(live.Job.Id, file).Value, Convert.FromHexString(hex));

        using var answer = await house.Stranger.GetAsync($"/jobs/{live.Job.Id}/images/{file}", Cancellation);

        Assert.Equal(type is null ? HttpStatusCode.NotFound : HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(type, answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
        Assert.Contains(type is null ? "default-src 'none'" : "sandbox", Assert.Single(answer.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
    }

    private static async Task<(HttpStatusCode Status, JsonElement Json)> PostAsync(WebHouse house, string path, object body)
    {
        using var answer = await house.Client.PostAsJsonAsync(path, body, Cancellation);
        return (answer.StatusCode, await answer.Content.ReadFromJsonAsync<JsonElement>(Cancellation));
    }
}
