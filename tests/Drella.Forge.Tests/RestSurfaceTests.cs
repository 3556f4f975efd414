namespace Drella.Forge.Tests;

public sealed class RestSurfaceTests
{
    private const string App = "/repos/octo/app";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Accounts_AnswerWhoAndWhatMayBeDone()
    {
        await using var forge = await ForgeHost.StartAsync(Stop);
        var root = (await forge.Get("")).Expect(200);
        Assert.Contains("repo", root.Message.Headers.GetValues("X-OAuth-Scopes").Single(), StringComparison.Ordinal);
        (await forge.Get("/meta")).Expect(200);
        Assert.Equal("octo", (await forge.Get("/user")).Expect(200)["login"].ToString());
        (await forge.Get("/users/dev")).Expect(200);
        (await forge.Get("/users/nobody")).Expect(404);
        Assert.True((int)(await forge.Get("/rate_limit")).Expect(200)["rate"]["remaining"]! > 0);
        foreach (var (login, permission, role) in ((string, string, string)[])[("dev", "write", "write"), ("reader", "read", "read"), ("stranger", "none", "none"), ("octo", "admin", "admin")])
        {
            var reply = (await forge.Get($"{App}/collaborators/{login}/permission")).Expect(200);
            Assert.Equal((permission, role), (reply["permission"].ToString(), reply["role_name"].ToString()));
        }

        (await forge.Get($"{App}/collaborators/dev/permission", "reader")).Expect(403);
    }

    [Fact]
    public async Task Repository_ShowsItsBranchesCommitsAndComparison()
    {
        await using var forge = await ForgeHost.StartAsync(Stop);
        var sha = await forge.Commit("topic/one", "docs/guide.md", "text\n");
        (await forge.Get(App)).Expect(200);
        Assert.Equal("Said", (await forge.Patch(App, new { description = "Said", delete_branch_on_merge = true })).Expect(200)["description"].ToString());
        (await forge.Patch(App, new { description = "x" }, "dev")).Expect(403);
        Assert.Equal(2, (await forge.Get($"{App}/branches")).Expect(200).Json!.AsArray().Count);
        Assert.Equal(sha, (await forge.Get($"{App}/branches/topic/one")).Expect(200)["commit"]["sha"]!.ToString());
        (await forge.Get($"{App}/branches/none")).Expect(404);
        (await forge.Get($"{App}/readme")).Expect(200);
        Assert.Equal("# App\n", (await forge.Get($"{App}/contents/README.md", accept: "application/vnd.github.raw+json")).Text);
        Assert.Equal("dir", (await forge.Get($"{App}/contents/?ref=topic/one")).Expect(200).Json![1]!["type"]!.ToString());
        (await forge.Get($"{App}/contents/src")).Expect(200);
        (await forge.Get($"{App}/contents/nope")).Expect(404);
        Assert.Equal(2, (await forge.Get($"{App}/commits?sha=topic/one")).Expect(200).Json!.AsArray().Count);
        Assert.Single((await forge.Get($"{App}/commits?sha=topic/one&path=docs")).Expect(200).Json!.AsArray());
        Assert.Equal(1, (int)(await forge.Get($"{App}/commits/topic/one")).Expect(200)["stats"]["additions"]!);
        Assert.Equal(sha, (await forge.Get($"{App}/commits/topic/one", accept: "application/vnd.github.sha")).Text);
        (await forge.Get($"{App}/commits/nothing")).Expect(422);
        var compare = (await forge.Get($"{App}/compare/main...topic/one")).Expect(200);
        Assert.Equal(("ahead", 1), (compare["status"].ToString(), (int)compare["ahead_by"]));
        Assert.Contains("+text", (await forge.Get($"{App}/compare/main...octo:topic%2Fone", accept: "application/vnd.github.diff")).Expect(200).Text, StringComparison.Ordinal);
        (await forge.Get($"{App}/compare/main...none")).Expect(404);
        await forge.Pull("topic/one");
        Assert.Single((await forge.Get($"{App}/commits/{sha}/pulls")).Expect(200).Json!.AsArray());
        await forge.Server.Admin.EnsureRepositoryAsync("octo", "empty", null, false, Stop);
        (await forge.Get("/repos/octo/empty/commits")).Expect(409);
        (await forge.Put("/repos/octo/empty/contents/a.txt", new { message = "First", content = "YQ==" })).Expect(201);
    }

    [Fact]
    public async Task GitDatabase_LetsAClientCommitWithoutGit()
    {
        await using var forge = await ForgeHost.StartAsync(Stop);
        var main = (await forge.Get($"{App}/git/ref/heads/main")).Expect(200)["object"]["sha"]!.ToString();
        var head = (await forge.Get($"{App}/git/commits/{main}")).Expect(200);
        var blob = (await forge.Post($"{App}/git/blobs", new { content = "aGk=", encoding = "base64" }, "dev")).Expect(201)["sha"].ToString();
        Assert.Equal("aGk=", (await forge.Get($"{App}/git/blobs/{blob}")).Expect(200)["content"].ToString());
        var tree = (await forge.Post($"{App}/git/trees", new
        {
            base_tree = head["tree"]["sha"]!.ToString(),
            tree = new object[] { new { path = "new/hi.txt", mode = "100644", type = "blob", sha = blob }, new { path = "README.md", mode = "100644", type = "blob", sha = (string?)null } },
        }, "dev")).Expect(201)["sha"].ToString();
        var paths = (await forge.Get($"{App}/git/trees/{tree}?recursive=1")).Expect(200)["tree"].AsArray().Select(e => e!["path"]!.ToString());
        Assert.Equal(["new", "new/hi.txt", "src", "src/a.txt"], paths);
        foreach (var bad in (string[])["../x", ".git/config", "a//b", "/abs"])
        {
            (await forge.Post($"{App}/git/trees", new { tree = new[] { new { path = bad, mode = "100644", type = "blob", sha = blob } } }, "dev")).Expect(422);
        }

        var commit = (await forge.Post($"{App}/git/commits", new { message = "By API", tree, parents = new[] { main } }, "dev")).Expect(201)["sha"].ToString();
        (await forge.Post($"{App}/git/refs", new { @ref = "refs/heads/api", sha = commit }, "dev")).Expect(201);
        (await forge.Post($"{App}/git/refs", new { @ref = "refs/heads/api", sha = commit }, "dev")).Expect(422);
        (await forge.Post($"{App}/git/refs", new { @ref = "refs/pull/1/head", sha = commit }, "dev")).Expect(422);
        (await forge.Patch($"{App}/git/refs/heads/api", new { sha = main }, "dev")).Expect(422);
        (await forge.Patch($"{App}/git/refs/heads/api", new { sha = main, force = true }, "dev")).Expect(200);
        Assert.Single((await forge.Get($"{App}/git/matching-refs/heads/ap")).Expect(200).Json!.AsArray());
        var file = (await forge.Get($"{App}/contents/README.md?ref=api"))["sha"].ToString();
        (await forge.Put($"{App}/contents/README.md", new { message = "m", content = "YQ==", branch = "api" }, "dev")).Expect(422);
        (await forge.Put($"{App}/contents/README.md", new { message = "m", content = "YQ==", branch = "api", sha = new string('1', 40) }, "dev")).Expect(409);
        (await forge.Delete($"{App}/contents/README.md", new { message = "m", branch = "api", sha = file }, "dev")).Expect(200);
        (await forge.Delete($"{App}/git/refs/heads/api", null, "dev")).Expect(204);
        (await forge.Delete($"{App}/git/refs/heads/main")).Expect(422);
    }

    [Fact]
    public async Task Issues_CarryLabelsCommentsAndReactions()
    {
        await using var forge = await ForgeHost.StartAsync(Stop);
        var n = (int)(await forge.Post($"{App}/issues", new { title = "One", body = "b", labels = new[] { "bug" }, assignees = new[] { "dev" } })).Expect(201)["number"];
        var issue = $"{App}/issues/{n}";
        (await forge.Post($"{App}/issues", new { body = "no title" })).Expect(422);
        Assert.Equal("dev", (await forge.Get(issue)).Expect(200)["assignee"]["login"]!.ToString());
        (await forge.Delete($"{issue}/assignees", new { assignees = new[] { "dev" } })).Expect(200);
        (await forge.Post($"{issue}/assignees", new { assignees = new[] { "octo" } })).Expect(201);
        (await forge.Post($"{App}/labels", new { name = "good", color = "00FF00", description = "d" })).Expect(201);
        (await forge.Post($"{App}/labels", new { name = "GOOD", color = "00FF00" })).Expect(422);
        (await forge.Patch($"{App}/labels/good", new { new_name = "better" })).Expect(200);
        (await forge.Get($"{App}/labels/better")).Expect(200);
        Assert.Equal(2, (await forge.Get($"{App}/labels")).Expect(200).Json!.AsArray().Count);
        Assert.Equal(2, (await forge.Post($"{issue}/labels", new { labels = new[] { "better" } })).Expect(200).Json!.AsArray().Count);
        Assert.Single((await forge.Delete($"{issue}/labels/bug")).Expect(200).Json!.AsArray());
        (await forge.Delete($"{issue}/labels/bug")).Expect(404);
        Assert.Single((await forge.Put($"{issue}/labels", new { labels = new[] { "other" } })).Expect(200).Json!.AsArray());
        (await forge.Get($"{issue}/labels")).Expect(200);
        Assert.Single((await forge.Get($"{App}/issues?labels=other&creator=octo&state=all")).Expect(200).Json!.AsArray());
        (await forge.Delete($"{issue}/labels")).Expect(204);
        (await forge.Delete($"{App}/labels/better")).Expect(204);

        var comment = (await forge.Post($"{issue}/comments", new { body = "Hello <script>alert(1)</script>" }, "reader")).Expect(201)["id"].ToString();
        (await forge.Patch($"{App}/issues/comments/{comment}", new { body = "x" }, "dev")).Expect(403);
        (await forge.Patch($"{App}/issues/comments/{comment}", new { body = "<b>Edited</b> [x](javascript:alert(1))" }, "reader")).Expect(200);
        Assert.Single((await forge.Get($"{issue}/comments")).Expect(200).Json!.AsArray());
        Assert.Single((await forge.Get($"{App}/issues/comments?sort=updated&since=2020-01-01T00:00:00Z")).Expect(200).Json!.AsArray());
        Assert.Empty((await forge.Get($"{App}/issues/comments?since=2100-01-01T00:00:00Z")).Expect(200).Json!.AsArray());
        foreach (var target in (string[])[issue, $"{App}/issues/comments/{comment}"])
        {
            var reaction = (await forge.Post($"{target}/reactions", new { content = "eyes" })).Expect(201)["id"].ToString();
            (await forge.Post($"{target}/reactions", new { content = "eyes" })).Expect(200);
            (await forge.Post($"{target}/reactions", new { content = "boo" })).Expect(422);
            Assert.Single((await forge.Get($"{target}/reactions")).Expect(200).Json!.AsArray());
            (await forge.Delete($"{target}/reactions/{reaction}", null, "dev")).Expect(404);
            (await forge.Delete($"{target}/reactions/{reaction}")).Expect(204);
        }

        var page = await forge.Get($"/web/octo/app/issues/{n}");
        Assert.DoesNotContain("<script", page.Text, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("javascript:", page.Text, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("default-src 'none'", page.Message.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        (await forge.Get($"{App}/issues/comments/{comment}")).Expect(200);
        (await forge.Delete($"{App}/issues/comments/{comment}", null, "reader")).Expect(204);
        Assert.Equal("not_planned", (await forge.Patch(issue, new { state = "closed", state_reason = "not_planned" })).Expect(200)["state_reason"].ToString());
        Assert.Equal("open", (await forge.Patch(issue, new { state = "open" })).Expect(200)["state"].ToString());
        (await forge.Patch(issue, new { title = "x" }, "reader")).Expect(403);
        (await forge.Get($"{issue}/timeline")).Expect(200);
    }

    [Fact]
    public async Task Checks_CombineIntoOneState()
    {
        await using var forge = await ForgeHost.StartAsync(Stop);
        var sha = await forge.Commit("feature", "b.txt", "x\n");
        var n = await forge.Pull("feature");
        Assert.Equal(("pending", 0), Combined(await forge.Get($"{App}/commits/{sha}/status")));
        (await forge.Post($"{App}/statuses/{sha}", new { state = "failure", context = "ci", description = "no", target_url = "http://127.0.0.1/x" }, "dev")).Expect(201);
        (await forge.Post($"{App}/statuses/{sha}", new { state = "failure", target_url = "javascript:alert(1)" }, "dev")).Expect(422);
        (await forge.Post($"{App}/statuses/{new string('0', 40)}", new { state = "success" }, "dev")).Expect(422);
        (await forge.Post($"{App}/statuses/{sha}", new { state = "success" }, "reader")).Expect(403);
        Assert.Equal(("failure", 1), Combined(await forge.Get($"{App}/commits/feature/status")));
        Assert.Equal("unstable", (await forge.Settled(n))["mergeable_state"].ToString());
        (await forge.Post($"{App}/statuses/{sha}", new { state = "success", context = "ci" }, "dev")).Expect(201);
        Assert.Equal(("success", 1), Combined(await forge.Get($"{App}/commits/{sha}/status")));
        Assert.Equal(2, (await forge.Get($"{App}/commits/{sha}/statuses")).Expect(200).Json!.AsArray().Count);
        var run = (await forge.Post($"{App}/check-runs", new { name = "tests", head_sha = sha, status = "in_progress" }, "dev")).Expect(201)["id"].ToString();
        (await forge.Patch($"{App}/check-runs/{run}", new
        {
            conclusion = "failure",
            output = new { title = "1 failed", summary = "s", annotations = new[] { new { path = "b.txt", start_line = 1, end_line = 1, annotation_level = "failure", message = "bad" } } },
        }, "dev")).Expect(200);
        Assert.Equal(1, (int)(await forge.Get($"{App}/check-runs/{run}")).Expect(200)["output"]["annotations_count"]!);
        (await forge.Get($"{App}/check-runs/{run}/annotations")).Expect(200);
        Assert.Equal(1, (int)(await forge.Get($"{App}/commits/{sha}/check-runs?filter=latest")).Expect(200)["total_count"]);
        (await forge.Get($"{App}/commits/{sha}/check-suites")).Expect(200);
    }

    [Fact]
    public async Task Lists_PageByLinkAndAnswerConditionally()
    {
        await using var forge = await ForgeHost.StartAsync(Stop, rateLimit: 1000);
        for (var i = 0; i < 5; i++)
        {
            (await forge.Post($"{App}/issues", new { title = "Issue " + i })).Expect(201);
        }

        var first = (await forge.Get($"{App}/issues?per_page=2&state=all")).Expect(200);
        var link = first.Message.Headers.GetValues("Link").Single();
        Assert.Contains($"<{forge.Server.BaseUrl}api/v3{App}/issues?per_page=2&state=all&page=2>; rel=\"next\"", link, StringComparison.Ordinal);
        Assert.Contains("page=3>; rel=\"last\"", link, StringComparison.Ordinal);
        Assert.Single((await forge.Get($"{App}/issues?per_page=2&page=3")).Json!.AsArray());
        Assert.Equal(995 - 2, int.Parse(first.Message.Headers.GetValues("X-RateLimit-Remaining").Single(), System.Globalization.CultureInfo.InvariantCulture) - 1);

        var etag = first.Message.Headers.GetValues("ETag").Single();
        var again = await forge.Get($"{App}/issues?per_page=2&state=all", etag: etag);
        Assert.Equal((304, ""), (again.Status, again.Text));
        (await forge.Post($"{App}/issues", new { title = "New" })).Expect(201);
        (await forge.Get($"{App}/issues?per_page=2&state=all", etag: etag)).Expect(200);
    }

    [Fact]
    public async Task Limits_RefuseWhenSpent()
    {
        await using var forge = await ForgeHost.StartAsync(Stop, rateLimit: 2);
        (await forge.Get("/user")).Expect(200);
        (await forge.Get("/user")).Expect(200);
        var refused = (await forge.Get("/user")).Expect(403);
        Assert.Equal("0", refused.Message.Headers.GetValues("X-RateLimit-Remaining").Single());
        (await forge.Get("/user", "dev")).Expect(200);
    }

    [Fact]
    public async Task Access_IsTheSameForAbsentAndForbidden()
    {
        await using var forge = await ForgeHost.StartAsync(Stop);
        var hidden = (await forge.Get(App, "stranger")).Expect(404);
        var absent = (await forge.Get("/repos/octo/none", "stranger")).Expect(404);
        Assert.Equal(absent.Text, hidden.Text);
        (await forge.Get(App, null)).Expect(404);
        (await forge.Get("/user", null)).Expect(401);
        (await forge.Get("/user", "token that-is-wrong")).Expect(401);
        (await forge.Post($"{App}/issues", new { title = "x" }, null)).Expect(404);
        (await forge.Put($"{App}/contents/x", new { message = "m", content = "YQ==" }, "reader")).Expect(403);
        (await forge.Post($"{App}/pulls", new { title = "t", head = "a", @base = "main" }, "reader")).Expect(403);
        (await forge.Get($"{App}/hooks", "dev")).Expect(403);
        forge.Server.Admin.RevokeToken("dev", "test");
        (await forge.Get(App, "dev")).Expect(401);
    }

    [Theory]
    [InlineData("{\"title\": \"x\"")]
    [InlineData("{\"title\": \"a\", \"title\": \"b\"}")]
    [InlineData("{\"title\": NaN}")]
    public async Task Body_ThatIsNoJsonIsA400(string body)
    {
        await using var forge = await ForgeHost.StartAsync(Stop);
        (await forge.Send(HttpMethod.Post, $"{App}/issues", body, "octo")).Expect(400);
    }

    [Fact]
    public async Task Body_ThatIsTooDeepOrTooLargeIsRefusedAndTheForgeLives()
    {
        await using var forge = await ForgeHost.StartAsync(Stop);
        var deep = "{\"title\":" + new string('[', 10_000) + new string(']', 10_000) + "}";
        (await forge.Send(HttpMethod.Post, $"{App}/issues", deep, "octo")).Expect(400);
        (await forge.Post($"{App}/issues", new { title = 7 })).Expect(422);
        var n = (int)(await forge.Post($"{App}/issues", new { title = "t" })).Expect(201)["number"];
        (await forge.Post($"{App}/issues/{n}/comments", new { body = new string('x', 70_000) })).Expect(422);
        (await forge.Get($"{App}/issues/99999999999999999999")).Expect(404);
        (await forge.Get($"{App}/issues?since=yesterday")).Expect(422);
        (await forge.Get("/repos/octo/..%2f..%2fapp")).Expect(404);
        (await forge.Get($"{App}/contents/..%2f..%2fetc%2fpasswd")).Expect(404);
        (await forge.Get($"{App}/commits/--output=x")).Expect(422);
        (await forge.Get($"{App}/contents/README.md?ref=--help")).Expect(404);
        (await forge.Get("/nothing/here")).Expect(404);
    }

    private static (string, int) Combined(Reply reply) => (reply.Expect(200)["state"].ToString(), (int)reply["total_count"]);
}
