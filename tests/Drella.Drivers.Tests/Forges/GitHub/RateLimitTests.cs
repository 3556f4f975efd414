using System.Globalization;
using System.Net;
using Drella.Core;
using Drella.Core.Forges;
using Drella.Testing;

namespace Drella.Drivers.Tests.Forges.GitHub;

public sealed class RateLimitTests
{
    private readonly FakeTime _time = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("testHandler_Wait", 2)]
    [InlineData("testHandler_Wait_Secondary_Limits_Too_Many_Requests", 8)]
    [InlineData("testHandler_Wait_Secondary_Limits_Too_Many_Requests_Date_Retry_After", 8)]
    [InlineData("testHandler_Wait_Secondary_Limits_Too_Many_Requests_Date_Retry_After_Missing_Date_Header", 8)]
    public async Task ShortLimit_IsWaitedForExactly(string scenario, int seconds)
    {
        var (replay, repo) = Recording(scenario);
        using var forge = Stub.Forge(replay.Stub, time: _time);

        var read = await _time.RunAsync(forge.RepoAsync(repo, Cancel), Cancel);

        Assert.Equal(2, replay.Stub.Requests.Count);
        Assert.Equal(TimeSpan.FromSeconds(seconds), replay.Stub.Requests[1].At - replay.Stub.Requests[0].At);
        Assert.Equal("main", read.DefaultBranch);
    }

    [Theory]
    [InlineData("testHandler_Fail", 30)]
    [InlineData("testHandler_HttpStatus_Fail", 30)]
    [InlineData("testHandler_Wait_Secondary_Limits", 60)]
    [InlineData("testHandler_Wait_Secondary_Limits_Body_Marker_Only", 60)]
    [InlineData("testHandler_Wait_Secondary_Limits_Too_Many_Requests_No_Retry_After", 60)]
    public async Task LongLimit_IsReportedWithItsEnd(string scenario, int seconds)
    {
        var (replay, repo) = Recording(scenario);
        using var forge = Stub.Forge(replay.Stub, time: _time);

        var thrown = await Assert.ThrowsAsync<DriverException>(() => forge.RepoAsync(repo, Cancel));

        Assert.Equal((DriverFailure.Throttled, true), (thrown.Failure, thrown.IsTransient));
        Assert.Equal(_time.GetUtcNow().AddSeconds(seconds), thrown.NotBefore);

        // Until then nothing is sent, afterwards it works.
        await Assert.ThrowsAsync<DriverException>(() => forge.RepoAsync(repo, Cancel));
        Assert.Single(replay.Stub.Requests);
        _time.Advance(TimeSpan.FromSeconds(seconds));
        Assert.Equal("main", (await forge.RepoAsync(repo, Cancel)).DefaultBranch);
    }

    [Fact]
    public async Task StuckLimit_IsGivenUpAfterThreeTries()
    {
        var (replay, repo) = Recording("testHandler_WaitStuck");
        using var forge = Stub.Forge(replay.Stub, time: _time);

        var thrown = await Assert.ThrowsAsync<DriverException>(() => _time.RunAsync(forge.RepoAsync(repo, Cancel), Cancel));

        Assert.Equal(DriverFailure.Throttled, thrown.Failure);
        Assert.Equal(3, replay.Stub.Requests.Count);
    }

    [Fact]
    public async Task SecondaryLimit_GrowsWhileItLasts()
    {
        var stub = new Stub(_ => Stub.Json("""{"message":"You have exceeded a secondary rate limit."}""", HttpStatusCode.Forbidden));
        using var forge = Stub.Forge(stub, time: _time);
        var waits = new List<double>();
        for (var i = 0; i < 6; i++)
        {
            var thrown = await Assert.ThrowsAsync<DriverException>(() => forge.WhoAmIAsync(Cancel));
            waits.Add((thrown.NotBefore!.Value - _time.GetUtcNow()).TotalSeconds);
            _time.Advance(thrown.NotBefore.Value - _time.GetUtcNow());
        }

        Assert.Equal([60, 120, 240, 480, 900, 900], waits);
    }

    [Theory]
    [InlineData("x-ratelimit-reset", "18446744073709551616", 60)]
    [InlineData("Retry-After", "99999999999", 6 * 3600)]
    [InlineData("Retry-After", "-5", 60)]
    [InlineData("Retry-After", "soon", 60)]
    public async Task NonsenseInHeaders_IsBounded(string name, string value, int seconds)
    {
        var stub = new Stub(_ => Stub.Json("{}", HttpStatusCode.TooManyRequests, (name, value), ("x-ratelimit-remaining", "0")));
        using var forge = Stub.Forge(stub, time: _time);

        var thrown = await Assert.ThrowsAsync<DriverException>(() => forge.WhoAmIAsync(Cancel));

        Assert.Equal(_time.GetUtcNow().AddSeconds(seconds), thrown.NotBefore);
    }

    [Fact]
    public async Task UsedUpLimit_StopsRestButNotGraphQl()
    {
        var reset = _time.GetUtcNow().AddMinutes(20);
        var epoch = reset.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var stub = new Stub(seen => seen.Url.AbsolutePath == "/graphql"
            ? Stub.Json("""{"data":{}}""")
            : Stub.Json(
                """{"id":1,"login":"bot","number":1,"draft":true,"node_id":"N","base":{"ref":"main"},"head":{"ref":"b","sha":"c"}}""", HttpStatusCode.OK,
                ("x-ratelimit-remaining", seen.Url.AbsolutePath == "/user" ? "0" : "7"), ("x-ratelimit-reset", epoch), ("x-ratelimit-resource", "core")));
        using var forge = Stub.Forge(stub, time: _time);
        await forge.SetDraftAsync(RepoName.Parse("o/r"), 1, draft: false, Cancel);

        await forge.WhoAmIAsync(Cancel);
        var thrown = await Assert.ThrowsAsync<DriverException>(() => forge.WhoAmIAsync(Cancel));

        Assert.Equal(reset, thrown.NotBefore);
        Assert.Equal(3, stub.Requests.Count);
    }

    [Fact]
    public async Task PlainRefusal_IsNoLimit()
    {
        var stub = new Stub(_ => Stub.Json("""{"message":"Resource not accessible by integration"}""", HttpStatusCode.Forbidden, ("x-ratelimit-remaining", "4000")));
        using var forge = Stub.Forge(stub, time: _time);

        Assert.Equal(DriverFailure.Forbidden, (await Assert.ThrowsAsync<DriverException>(() => forge.WhoAmIAsync(Cancel))).Failure);
    }

    [Fact]
    public async Task Writes_AreASecondApartOnGitHubDotCom()
    {
        var stub = new Stub(_ => Stub.Json("""{"id":5}"""), _time);
        using var forge = Stub.Forge(stub, Stub.Options with { WriteGap = null }, _time);
        var repo = RepoName.Parse("o/r");

        var both = Task.WhenAll(
            forge.CommentAsync(repo, 1, "a", new EffectKey("a"), Cancel), forge.CommentAsync(repo, 1, "b", new EffectKey("b"), Cancel));
        await _time.RunAsync(both, Cancel);

        Assert.True(stub.Requests[1].At - stub.Requests[0].At >= TimeSpan.FromSeconds(1));
    }

    private (Replay Replay, RepoName Repo) Recording(string scenario) =>
        (new Replay("abuse/" + scenario, _time), RepoName.Parse("hub4j-test-org/temp-" + scenario switch
        {
            "testHandler_HttpStatus_Fail" => "testHandler_Fail",
            _ => scenario,
        }));
}
