using System.Net;
using System.Text.Json;
using Drella.Core;
using Drella.Core.Forges;
using Drella.Drivers.Forges.GitHub;
using Drella.Testing;

namespace Drella.Drivers.Tests.Forges.GitHub;

public sealed class HostileForgeTests
{
    private const string Me = """{"id":7,"login":"drella-bot","type":"User"}""";

    private static readonly RepoName Repo = RepoName.Parse("o/r");
    private readonly FakeTime _time = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("https://evil.example/repos/o/r/issues?page=2")]
    [InlineData("http://api.github.com/repos/o/r/issues?page=2")]
    [InlineData("https://api.github.com:444/repos/o/r/issues?page=2")]
    [InlineData("https://api.github.com@evil.example/x")]
    [InlineData("https://x@api.github.com/repos/o/r/issues?page=2")]
    [InlineData("/repos/o/r/issues?page=2")]
    public async Task NextPage_IsNotFetchedFromElsewhere(string next)
    {
        var stub = new Stub(_ => Stub.Json("[]", HttpStatusCode.OK, ("Link", $"<{next}>; rel=\"next\"")));
        using var forge = Stub.Forge(stub, time: _time);

        var thrown = await Assert.ThrowsAsync<DriverException>(() => forge.OpenIssuesAsync(Repo, Cancel));

        Assert.False(thrown.IsTransient);
        Assert.Single(stub.Requests);
    }

    [Fact]
    public async Task NextPage_IsFollowedVerbatimAmongOtherLinks()
    {
        const string Next = "https://api.github.com/repositories/42/issues?state=open&per_page=100&page=2";
        var stub = new Stub(seen => seen.Url.AbsoluteUri == Next
            ? Stub.Json(Issue(2))
            : Stub.Json(Issue(1), HttpStatusCode.OK, ("Link", $"<https://api.github.com/x?page=1>; rel=\"prev\", <{Next}>; rel=\"next\", <https://evil.example/>; rel=\"last\"")));
        using var forge = Stub.Forge(stub, time: _time);

        Assert.Equal([1, 2], (await forge.OpenIssuesAsync(Repo, Cancel)).Select(i => i.Number));
    }

    [Fact]
    public async Task Pages_ThatGoInCirclesEnd()
    {
        var stub = new Stub(seen => Stub.Json("[]", HttpStatusCode.OK, ("Link", $"<{seen.Url.AbsoluteUri}>; rel=\"next\"")));
        using var forge = Stub.Forge(stub, time: _time);

        Assert.Equal(DriverFailure.Exhausted, (await Assert.ThrowsAsync<DriverException>(() => forge.OpenIssuesAsync(Repo, Cancel))).Failure);
    }

    [Fact]
    public async Task Redirect_KeepsMethodBodyAndTokenAtHome()
    {
        var stub = new Stub(seen => seen.Url.AbsolutePath.StartsWith("/repos/", StringComparison.Ordinal)
            ? Stub.Json("{}", HttpStatusCode.MovedPermanently, ("Location", "/repositories/42/issues/1/comments"))
            : Stub.Json("""{"id":5}"""));
        using var forge = Stub.Forge(stub, time: _time);

        await forge.CommentAsync(Repo, 1, "hello", new EffectKey("k"), Cancel);

        Assert.Equal(HttpMethod.Post, stub.Requests[1].Method);
        Assert.Equal(stub.Requests[0].Body, stub.Requests[1].Body);
        Assert.Equal($"Bearer {Stub.Token}", stub.Requests[1].Authorization);
    }

    [Fact]
    public async Task Redirect_OfAReadLeavesWithoutTheToken()
    {
        var stub = new Stub(seen => seen.Url.Host == "api.github.com"
            ? Stub.Json("{}", HttpStatusCode.Redirect, ("Location", "https://elsewhere.example/user"))
            : Stub.Json(Me));
        using var forge = Stub.Forge(stub, time: _time);

        await forge.WhoAmIAsync(Cancel);

        Assert.Equal("elsewhere.example", stub.Requests[1].Url.Host);
        Assert.Null(stub.Requests[1].Authorization);
    }

    [Theory]
    [InlineData("http://elsewhere.example/user")]
    [InlineData("http://169.254.169.254/latest/meta-data")]
    [InlineData("https://169.254.169.254/latest/meta-data")]
    [InlineData("https://localhost/user")]
    [InlineData("https://metadata/user")]
    [InlineData("file:///etc/passwd")]
    [InlineData("https://u:p@elsewhere.example/")]
    public async Task Redirect_ToSuspectPlacesIsRefused(string location)
    {
        var stub = new Stub(_ => Stub.Json("{}", HttpStatusCode.Redirect, ("Location", location)));
        using var forge = Stub.Forge(stub, time: _time);

        await Assert.ThrowsAsync<DriverException>(() => forge.WhoAmIAsync(Cancel));

        Assert.Single(stub.Requests);
    }

    [Fact]
    public async Task Redirect_OfAWriteNeverLeaves()
    {
        var stub = new Stub(seen => seen.Method == HttpMethod.Get
            ? Stub.Json("[]")
            : Stub.Json("{}", HttpStatusCode.TemporaryRedirect, ("Location", "https://elsewhere.example/hooks")));
        using var forge = Stub.Forge(stub, time: _time);

        await Assert.ThrowsAsync<DriverException>(() => forge.EnsureWebhookAsync(Repo, "https://us.example/hook", "hook-secret", Cancel));

        Assert.DoesNotContain(stub.Requests, r => r.Url.Host == "elsewhere.example");
    }

    [Fact]
    public async Task Redirects_InCirclesEnd()
    {
        var stub = new Stub(seen => Stub.Json("{}", HttpStatusCode.Redirect, ("Location", seen.Url.AbsoluteUri)));
        using var forge = Stub.Forge(stub, time: _time);

        await Assert.ThrowsAsync<DriverException>(() => forge.WhoAmIAsync(Cancel));

        Assert.Equal(6, stub.Requests.Count);
    }

    [Fact]
    public async Task FindComment_TrustsOnlyOurOwnLastMarker()
    {
        const string Marker = "<!-- drella:j1/open -->";
        var stub = new Stub(seen => Stub.Json(seen.Url.AbsolutePath == "/user" ? Me : $$"""
            [{{Comment(1, 99, "spoof\\n\\n" + Marker)}},
             {{Comment(2, 7, "quoting " + Marker + " in the middle")}},
             {{Comment(3, 7, "hello\\n\\n" + Marker)}}]
            """));
        using var forge = Stub.Forge(stub, time: _time);

        var found = await forge.FindCommentAsync(Repo, 1, new EffectKey("j1/open"), Cancel);

        Assert.Equal(("3", "hello"), (found!.Id, found.Body));
        Assert.Null(await forge.FindCommentAsync(Repo, 1, new EffectKey("j1"), Cancel));
    }

    [Fact]
    public async Task Body_CannotSmuggleAMarkerIn()
    {
        var stub = new Stub(seen => Stub.Json("""{"id":5}"""));
        using var forge = Stub.Forge(stub, time: _time);

        await forge.CommentAsync(Repo, 1, "x <!-- DRELLA:j2/close -->", new EffectKey("j1/a"), Cancel);

        var body = JsonElement.Parse(stub.Requests[0].Body).GetProperty("body").GetString()!;
        Assert.DoesNotContain("drella:j2", body, StringComparison.OrdinalIgnoreCase);
        Assert.EndsWith("<!-- drella:j1/a -->", body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html>proxy</html>")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{\"id\":\"text\"}")]
    [InlineData("{\"id\":99999999999999999999}")]
    [InlineData("{\"login\":\"\\ud800\",\"id\":1}")]
    [InlineData("{\"id\":1")]
    public async Task Garbage_IsADriverException(string body)
    {
        using var forge = Stub.Forge(new Stub(_ => Stub.Json(body)), time: _time);

        await Assert.ThrowsAsync<DriverException>(() => forge.WhoAmIAsync(Cancel));
    }

    [Theory]
    [InlineData("[null,null]")]
    [InlineData("[{}]")]
    [InlineData("""[{"number":1,"labels":[null,{}],"updated_at":"yesterday"}]""")]
    [InlineData("""[{"number":1,"labels":{"a":1}}]""")]
    public async Task GarbageLists_AreADriverExceptionOrNothing(string body)
    {
        using var forge = Stub.Forge(new Stub(_ => Stub.Json(body)), time: _time);

        var thrown = await Record.ExceptionAsync(() => forge.OpenIssuesAsync(Repo, Cancel));

        Assert.True(thrown is null or DriverException, thrown?.ToString());
    }

    [Fact]
    public async Task DeepAnswer_IsADriverException()
    {
        var deep = string.Concat(Enumerable.Repeat("{\"a\":", 100_000)) + "1" + new string('}', 100_000);
        using var forge = Stub.Forge(new Stub(_ => Stub.Json(deep)), time: _time);

        await Assert.ThrowsAsync<DriverException>(() => forge.WhoAmIAsync(Cancel));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task BigAnswer_IsCutOff(bool withLength)
    {
        var stub = new Stub(_ =>
        {
            var response = Stub.Json(new string(' ', 300_000));
            response.Content.Headers.ContentLength = withLength ? 300_000 : null;
            return response;
        });
        using var forge = Stub.Forge(stub, Stub.Options with { MaxResponseBytes = 200_000 }, _time);

        Assert.Equal(DriverFailure.Exhausted, (await Assert.ThrowsAsync<DriverException>(() => forge.WhoAmIAsync(Cancel))).Failure);
    }

    [Fact]
    public async Task SilentForge_IsGivenUpOnTime()
    {
        using var forge = new GitHubForge(Stub.Options, new Silent(), _time, Microsoft.Extensions.Logging.Abstractions.NullLogger<GitHubForge>.Instance);

        var asking = forge.WhoAmIAsync(Cancel);
        await _time.UntilTimersAsync(1, Cancel);
        _time.Advance(TimeSpan.FromSeconds(30));

        var thrown = await Assert.ThrowsAsync<DriverException>(() => asking);
        Assert.Equal((true, DriverFailure.Unavailable), (thrown.IsTransient, thrown.Failure));
    }

    [Fact]
    public async Task Cancellation_Flies()
    {
        using var forge = new GitHubForge(Stub.Options, new Silent(), _time, Microsoft.Extensions.Logging.Abstractions.NullLogger<GitHubForge>.Instance);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Cancel);

        var asking = forge.WhoAmIAsync(cancel.Token);
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
    }

    [Fact]
    public async Task Messages_NeverHoldTheTokenEvenWhenTheForgeEchoesIt()
    {
        var stub = new Stub(seen => Stub.Json(
            JsonSerializer.Serialize(new { message = $"bad {seen.Authorization}\n\u001b[31m", errors = new[] { seen.Authorization } }), HttpStatusCode.UnprocessableEntity));
        using var forge = Stub.Forge(stub, time: _time);

        var thrown = await Assert.ThrowsAsync<DriverException>(() => forge.WhoAmIAsync(Cancel));

        Assert.DoesNotContain(Stub.Token, thrown.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', thrown.Message);
        Assert.DoesNotContain(Stub.Token, (Stub.Options with { Name = "x" }).ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(401, """{"message":"Bad credentials"}""", DriverFailure.Forbidden, false)]
    [InlineData(403, """{"message":"no"}""", DriverFailure.Forbidden, false)]
    [InlineData(404, """{"message":"Not Found"}""", DriverFailure.NotFoundOrNoAccess, false)]
    [InlineData(409, "{}", DriverFailure.Conflict, false)]
    [InlineData(422, """{"message":"Validation Failed","errors":[{"resource":"PullRequest","code":"custom","message":"A pull request already exists for o:b."}]}""", DriverFailure.Conflict, false)]
    [InlineData(422, """{"message":"Validation Failed","errors":[{"resource":"Label","code":"already_exists","field":"name"}]}""", DriverFailure.Conflict, false)]
    [InlineData(422, """{"message":"Validation Failed","errors":["text",{"resource":"PullRequest","field":"head","code":"invalid"}]}""", DriverFailure.Invalid, false)]
    [InlineData(422, """{"message":"x","errors":[{"message":"\ud800"}]}""", DriverFailure.Invalid, false)]
    [InlineData(500, "<html>", DriverFailure.Unavailable, true)]
    [InlineData(502, "", DriverFailure.Unavailable, true)]
    [InlineData(503, "[]", DriverFailure.Unavailable, true)]
    [InlineData(304, "", DriverFailure.Unavailable, false)]
    public async Task Refusals_AreToldApart(int status, string body, DriverFailure failure, bool isTransient)
    {
        using var forge = Stub.Forge(new Stub(_ => Stub.Json(body, (HttpStatusCode)status)), time: _time);

        var thrown = await Assert.ThrowsAsync<DriverException>(() => forge.WhoAmIAsync(Cancel));

        Assert.Equal((failure, isTransient), (thrown.Failure, thrown.IsTransient));
    }

    [Fact]
    public async Task FieldErrors_AndMissingPermissionsAreInTheMessage()
    {
        using var invalid = Stub.Forge(new Stub(_ => Stub.Json(
            """{"message":"Validation Failed","errors":[{"resource":"PullRequest","field":"head","code":"invalid"}]}""", HttpStatusCode.UnprocessableEntity)), time: _time);
        using var forbidden = Stub.Forge(new Stub(_ => Stub.Json(
            """{"message":"Not Found"}""", HttpStatusCode.NotFound, ("X-Accepted-GitHub-Permissions", "checks=read"))), time: _time);

        Assert.Contains("PullRequest head invalid", (await Assert.ThrowsAsync<DriverException>(() => invalid.WhoAmIAsync(Cancel))).Message, StringComparison.Ordinal);
        Assert.Contains("checks=read", (await Assert.ThrowsAsync<DriverException>(() => forbidden.WhoAmIAsync(Cancel))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../../../../user")]
    [InlineData("a/./b")]
    [InlineData("a//b")]
    [InlineData("..")]
    public async Task Names_CannotLeaveTheirPlaceInThePath(string branch)
    {
        var stub = new Stub(_ => Stub.Json("{}"));
        using var forge = Stub.Forge(stub, time: _time);

        Assert.Equal(DriverFailure.Invalid, (await Assert.ThrowsAsync<DriverException>(() => forge.BranchHeadAsync(Repo, branch, Cancel))).Failure);
        Assert.Empty(stub.Requests);
    }

    [Fact]
    public async Task Names_AreEscaped()
    {
        var stub = new Stub(seen => Stub.Json(seen.Url.AbsolutePath.Contains("/git/", StringComparison.Ordinal)
            ? """{"ref":"refs/heads/a b/ü#?%2e","object":{"sha":"abc"}}""" : """{"permission":"read"}"""));
        using var forge = Stub.Forge(stub, time: _time);

        Assert.Equal("abc", await forge.BranchHeadAsync(Repo, "a b/ü#?%2e", Cancel));
        await forge.PermissionAsync(Repo, "x/../../y", Cancel);

        Assert.Equal("/repos/o/r/git/ref/heads/a%20b/%C3%BC%23%3F%252e", stub.Requests[0].Url.AbsolutePath);
        Assert.Equal("/repos/o/r/collaborators/x%2F..%2F..%2Fy/permission", stub.Requests[1].Url.AbsolutePath);
    }

    [Fact]
    public async Task GraphQlErrors_AreDriverExceptions()
    {
        var stub = new Stub(seen => Stub.Json(seen.Url.AbsolutePath == "/graphql"
            ? """{"data":{"x":null},"errors":[{"type":"FORBIDDEN","message":"no"}]}"""
            : """{"number":1,"draft":true,"node_id":"N"}"""));
        using var forge = Stub.Forge(stub, time: _time);

        Assert.Equal(DriverFailure.Forbidden, (await Assert.ThrowsAsync<DriverException>(() => forge.SetDraftAsync(Repo, 1, false, Cancel))).Failure);
    }

    [Fact]
    public async Task Review_MovesStraysIntoTheBodyAndRetriesWithoutInlineComments()
    {
        var posts = 0;
        var stub = new Stub(seen => seen switch
        {
            { Url.AbsolutePath: "/user" } => Stub.Json(Me),
            { Method.Method: "GET" } when seen.Url.AbsolutePath.EndsWith("/files", StringComparison.Ordinal) => Stub.Json(
                """[{"filename":"a.cs","patch":"@@ -1,2 +1,3 @@\n one\n-two\n+zwei\n+drei\n\\ No newline at end of file"},{"filename":"b.bin"}]"""),
            { Method.Method: "GET" } => Stub.Json("[]"),
            _ => posts++ == 0
                ? Stub.Json("""{"message":"Unprocessable Entity","errors":["Line could not be resolved"]}""", HttpStatusCode.UnprocessableEntity)
                : Stub.Json("{}"),
        });
        using var forge = Stub.Forge(stub, time: _time);
        var review = new NewReview(ReviewVerdict.RequestChanges, "Sum.", "c0ffee",
            [new("a.cs", 3, "inside"), new("a.cs", 4, "below"), new("b.bin", 1, "binary"), new("c.cs", 1, "absent")]);

        await forge.SubmitReviewAsync(Repo, 1, review, new EffectKey("k"), Cancel);

        var sent = stub.Requests.Where(r => r.Method == HttpMethod.Post).Select(r => JsonElement.Parse(r.Body)).ToList();
        Assert.Equal("inside", Assert.Single(sent[0].GetProperty("comments").EnumerateArray()).GetProperty("body").GetString());
        Assert.Contains("`a.cs:4`: below", sent[0].GetProperty("body").GetString(), StringComparison.Ordinal);
        Assert.Contains("`c.cs:1`: absent", sent[0].GetProperty("body").GetString(), StringComparison.Ordinal);
        Assert.False(sent[1].TryGetProperty("comments", out _));
        Assert.Contains("`a.cs:3`: inside", sent[1].GetProperty("body").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reply_FallsBackWhenTheReplyPathIsClosedToApps()
    {
        var stub = new Stub(seen => seen switch
        {
            { Url.AbsolutePath: "/user" } => Stub.Json(Me),
            { Method.Method: "GET" } => Stub.Json("""[{"id":10,"node_id":"A","user":{"id":1,"login":"p"},"body":"why","path":"a.cs","commit_id":"c0ffee"}]"""),
            _ when seen.Url.AbsolutePath.EndsWith("/replies", StringComparison.Ordinal) => Stub.Json("{}", HttpStatusCode.Forbidden),
            _ => Stub.Json("""{"id":11}"""),
        });
        using var forge = Stub.Forge(stub, time: _time);

        Assert.Equal("11", await forge.ReplyAsync(Repo, 1, "10", "since", new EffectKey("k"), Cancel));

        var sent = JsonElement.Parse(stub.Requests[^1].Body);
        Assert.Equal(10, sent.GetProperty("in_reply_to").GetInt64());
        Assert.Equal("a.cs", sent.GetProperty("path").GetString());
    }

    [Fact]
    public void Options_RefuseWhatWouldLeakTheToken()
    {
        Assert.Throws<ArgumentException>(() => Stub.Forge(new Stub(_ => Stub.Json("")), Stub.Options with { ApiUrl = "http://forge.example/api/v3" }));
        Assert.Throws<ArgumentException>(() => Stub.Forge(new Stub(_ => Stub.Json("")), Stub.Options with { ApiUrl = "ftp://forge.example" }));
        Assert.Throws<ArgumentException>(() => Stub.Forge(new Stub(_ => Stub.Json("")), Stub.Options with { Token = "two\nlines" }));
        Assert.Throws<ArgumentException>(() => Stub.Forge(new Stub(_ => Stub.Json("")), Stub.Options with { Token = null }));
        using var ok = Stub.Forge(new Stub(_ => Stub.Json("")), Stub.Options with { ApiUrl = "http://127.0.0.1:8080/api/v3" });
    }

    [Theory]
    [InlineData("https://api.github.com", "https://api.github.com/graphql", "https://github.com/o/r.git")]
    [InlineData("http://127.0.0.1:8080/api/v3", "http://127.0.0.1:8080/api/graphql", "http://127.0.0.1:8080/o/r.git")]
    [InlineData("https://ghe.example/api/v3/", "https://ghe.example/api/graphql", "https://ghe.example/o/r.git")]
    [InlineData("https://api.acme.ghe.com", "https://api.acme.ghe.com/graphql", "https://acme.ghe.com/o/r.git")]
    public async Task Addresses_AreDerived(string api, string graphQl, string git)
    {
        var stub = new Stub(seen => Stub.Json(seen.Method == HttpMethod.Post ? """{"data":{}}""" : """{"number":1,"draft":true,"node_id":"N"}"""));
        using var forge = Stub.Forge(stub, Stub.Options with { ApiUrl = api }, _time);

        await forge.SetDraftAsync(Repo, 1, draft: false, Cancel);
        var access = await forge.GitAccessAsync(Repo, Cancel);

        Assert.Equal(graphQl, stub.Requests[^1].Url.AbsoluteUri);
        Assert.Equal((git, "x-access-token", Stub.Token), (access.Url, access.User, access.Secret));
    }

    private static string Issue(int number) =>
        $$"""[{"number":{{number}},"title":"t","state":"open","updated_at":"2026-01-01T00:00:00Z","user":{"id":1,"login":"p"} }]""";

    private static string Comment(int id, int user, string body) =>
        $$"""{"id":{{id}},"user":{"id":{{user}},"login":"u{{user}}" },"body":"{{body}}","created_at":"2026-01-01T00:00:00Z"}""";

    private sealed class Silent : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
            throw new InvalidOperationException("unreachable");
        }
    }
}
