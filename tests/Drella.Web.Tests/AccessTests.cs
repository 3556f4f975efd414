using System.Net;
using System.Net.Http.Json;
using Drella.Core.Jobs;

namespace Drella.Web.Tests;

public sealed class AccessTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/")]
    [InlineData("/jobs/j0123456789ab")]
    [InlineData("/api/jobs")]
    [InlineData("/api/events")]
    [InlineData("/api/jobs/j0123456789ab")]
    [InlineData("/api/jobs/j0123456789ab/events")]
    [InlineData("/api/jobs/j0123456789ab/entries")]
    [InlineData("/api/jobs/j0123456789ab/diff")]
    [InlineData("/api/jobs/j0123456789ab/transcripts/0")]
    [InlineData("/api/jobs/j0123456789ab/transcript/events")]
    [InlineData("/JOBS/j0123456789ab/images/a.png")]
    [InlineData("/no/such/page")]
    public async Task Gate_AsksForTheTokenWhenItIsAbsentOrWrong(string path)
    {
        await using var house = await WebHouse.OpenAsync();

        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(house, path));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(house, path, ("Authorization", "Bearer " + WebHouse.Token + "x")));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(house, path, ("Authorization", "Bearer ")));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(house, path, ("Cookie", "drella=nothing")));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(house, path + "?token=" + WebHouse.Token));
    }

    [Theory]
    [InlineData("/healthz", HttpStatusCode.OK)]
    [InlineData("/readyz", HttpStatusCode.OK)]
    [InlineData("/assets/drella.css", HttpStatusCode.OK)]
    [InlineData("/assets/other", HttpStatusCode.NotFound)]
    [InlineData("/jobs/j0123456789ab/images/a.png", HttpStatusCode.NotFound)]
    public async Task Gate_LetsEverybodyPassWhereNothingIsTold(string path, HttpStatusCode expected)
    {
        await using var house = await WebHouse.OpenAsync();

        Assert.Equal(expected, await StatusAsync(house, path));
    }

    [Theory]
    [InlineData("evil.example")]
    [InlineData("127.0.0.1.evil.example")]
    [InlineData("localhost.evil.example:80")]
    [InlineData("0.0.0.0")]
    public async Task Gate_RefusesWhenTheHostIsNotOurs(string host)
    {
        await using var house = await WebHouse.OpenAsync("https://factory.example");

        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(house, "/healthz", ("Host", host)));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(house, "/api/jobs", ("Host", host), ("Authorization", "Bearer " + WebHouse.Token)));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(house, "/healthz", ("Host", "factory.example")));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(house, "/healthz", ("Host", "localhost:1")));
    }

    [Fact]
    public async Task Login_GivesACookieThatScriptsCannotReadWhenTheTokenIsRight()
    {
        await using var house = await WebHouse.OpenAsync();

        using var wrong = await house.Stranger.GetAsync("/login?token=wrong", Cancellation);
        using var right = await house.Stranger.GetAsync("/login?token=" + WebHouse.Token, Cancellation);

        Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
        Assert.False(wrong.Headers.Contains("Set-Cookie"));
        Assert.Equal("/", right.Headers.Location?.OriginalString);
        var cookie = Assert.Single(right.Headers.GetValues("Set-Cookie"));
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=strict", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(house, "/", ("Cookie", cookie.Split(';')[0])));
    }

    [Theory]
    [InlineData("cookie", null, false)]
    [InlineData("cookie", "own", true)]
    [InlineData("cookie", "https://factory.example", true)]
    [InlineData("cookie", "http://evil.example", false)]
    [InlineData("cookie", "null", false)]
    [InlineData("bearer", null, true)]
    [InlineData("bearer", "own", true)]
    [InlineData("bearer", "http://evil.example", false)]
    public async Task Change_IsTakenOnlyFromOurPagesOrAProgram(string proof, string? origin, bool isTaken)
    {
        await using var house = await WebHouse.OpenAsync("https://factory.example");
        var live = await house.JobAsync();
        foreach (var (path, content) in new (string, HttpContent)[]
        {
            ($"/api/jobs/{live.Job.Id}/cancel", JsonContent.Create(new { reason = "no" })),
            ("/api/nudge", new StringContent("")),
        })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
            request.Headers.TryAddWithoutValidation(proof == "cookie" ? "Cookie" : "Authorization", (proof == "cookie" ? "drella=" : "Bearer ") + WebHouse.Token);
            if (origin is not null)
            {
                request.Headers.TryAddWithoutValidation("Origin", origin == "own" ? house.Server.BaseUrl.GetLeftPart(UriPartial.Authority) : origin);
            }

            using var answer = await house.Stranger.SendAsync(request, Cancellation);
            Assert.Equal(!isTaken, answer.StatusCode == HttpStatusCode.Forbidden);
        }

        Assert.Equal(isTaken ? JobConclusion.Cancelled : null, live.Job.Conclusion);
        Assert.Equal(isTaken ? 1 : 0, house.Nudges);
    }

    [Fact]
    public async Task Job_AnswersTheSameWhenItsIdIsAbsentOrMalformed()
    {
        await using var house = await WebHouse.OpenAsync();
        foreach (var path in new[] { "/api/jobs/{0}", "/api/jobs/{0}/events", "/api/jobs/{0}/entries", "/api/jobs/{0}/diff", "/api/jobs/{0}/transcripts/0", "/jobs/{0}" })
        {
            var answers = new List<string>();
            foreach (var id in new[] { "j0123456789ab", "nonsense", "j0123456789aB", "%2e%2e%2f" })
            {
                using var answer = await house.Client.GetAsync(string.Format(null, path, id), Cancellation);
                Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
                answers.Add(await answer.Content.ReadAsStringAsync(Cancellation));
            }

            Assert.Single(answers.Distinct());
        }
    }

    [Fact]
    public async Task Answer_CarriesHeadersThatKeepHostileTextInert()
    {
        await using var house = await WebHouse.OpenAsync();

        using var page = await house.Client.GetAsync("/", Cancellation);

        var policy = Assert.Single(page.Headers.GetValues("Content-Security-Policy"));
        Assert.StartsWith("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", Assert.Single(page.Headers.GetValues("X-Content-Type-Options")));
        Assert.Equal("no-referrer", Assert.Single(page.Headers.GetValues("Referrer-Policy")));
        Assert.False(page.Headers.Contains("Server"));
    }

    [Fact]
    public async Task Start_IsRefusedWhenTheTokenKeepsNobodyOut()
    {
        await using var house = await WebHouse.OpenAsync();
        var options = new WebOptions { ListenUrl = "http://127.0.0.1:0", Token = "", VerifyWebhook = (_, _) => null };

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => WebServer.StartAsync(options, null!, Cancellation));
    }

    private static async Task<HttpStatusCode> StatusAsync(WebHouse house, string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var answer = await house.Stranger.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
        return answer.StatusCode;
    }
}
