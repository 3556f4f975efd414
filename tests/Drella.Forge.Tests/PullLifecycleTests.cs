using System.Text.Json.Nodes;

namespace Drella.Forge.Tests;

public sealed class PullLifecycleTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Pull_GoesFromDraftToMergedAndClosesItsIssue()
    {
        await using var forge = await ForgeHost.StartAsync(Stop);
        var issue = (int)(await forge.Post("/repos/octo/app/issues", new { title = "Broken", labels = new[] { "bug" } })).Expect(201)["number"];
        await forge.Commit("feature", "src/b.txt", "new\n");
        var number = await forge.Pull("feature", draft: true, body: $"Fixes #{issue}");
        Assert.Equal(issue + 1, number);

        (await forge.Put($"/repos/octo/app/pulls/{number}/merge", new { })).Expect(405);
        var pull = await forge.Get($"/repos/octo/app/pulls/{number}");
        var id = pull["node_id"].ToString();
        Assert.Equal("draft", (await forge.Settled(number))["mergeable_state"].ToString());
        var ready = await forge.GraphQl("mutation($id: ID!) { markPullRequestReadyForReview(input: {pullRequestId: $id}) { pullRequest { id isDraft } } }", new { id }, "dev");
        Assert.False((bool)ready["data"]!["markPullRequestReadyForReview"]!["pullRequest"]!["isDraft"]!);

        (await forge.Put($"/repos/octo/app/pulls/{number}/merge", new { sha = new string('0', 40) })).Expect(409);
        var merged = (await forge.Put($"/repos/octo/app/pulls/{number}/merge", new { sha = pull["head"]["sha"]!.ToString() })).Expect(200);
        (await forge.Get($"/repos/octo/app/pulls/{number}/merge")).Expect(204);
        Assert.Equal(merged["sha"].ToString(), (await forge.Get("/repos/octo/app/git/ref/heads/main"))["object"]["sha"]!.ToString());
        var after = await forge.Get($"/repos/octo/app/pulls/{number}");
        Assert.True((bool)after["merged"]);
        Assert.Equal(1, (int)after["changed_files"]);
        Assert.Equal("closed", (await forge.Get($"/repos/octo/app/issues/{issue}"))["state"].ToString());
        (await forge.Put($"/repos/octo/app/pulls/{number}/merge", new { })).Expect(405);
        (await forge.Get($"/repos/octo/app/issues/{issue}/timeline")).Expect(200);
    }

    [Fact]
    public async Task Open_RefusesASecondOneForTheSameBranch()
    {
        await using var forge = await ForgeHost.StartAsync(Stop);
        await forge.Commit("feature", "b.txt", "x\n");
        await forge.Pull("feature");

        var reply = (await forge.Post("/repos/octo/app/pulls", new { title = "Again", head = "octo:feature", @base = "main" }, "dev")).Expect(422);

        Assert.Contains("A pull request already exists for octo:feature.", reply["errors"][0]!["message"]!.ToString(), StringComparison.Ordinal);
        Assert.Single((await forge.Get("/repos/octo/app/pulls?head=octo:feature&state=all")).Json!.AsArray());
        (await forge.Post("/repos/octo/app/pulls", new { title = "Empty", head = "main", @base = "main" }, "dev")).Expect(422);
        (await forge.Post("/repos/octo/app/pulls", new { title = "Absent", head = "nowhere", @base = "main" }, "dev")).Expect(422);
    }

    [Fact]
    public async Task Merge_RefusesConflictsAndTheBranchCanBeUpdatedOtherwise()
    {
        await using var forge = await ForgeHost.StartAsync(Stop);
        await forge.Commit("one", "src/a.txt", "ONE\n2\n3\n4\n5\n6\n7\n8\n9\n");
        await forge.Commit("two", "src/a.txt", "TWO\n2\n3\n4\n5\n6\n7\n8\n9\n");
        await forge.Commit("three", "c.txt", "c\n");
        var (one, two, three) = (await forge.Pull("one"), await forge.Pull("two"), await forge.Pull("three"));
        (await forge.Put($"/repos/octo/app/pulls/{one}/merge", new { merge_method = "squash", commit_title = "One", commit_message = "Body" })).Expect(200);

        Assert.False((bool)(await forge.Settled(two))["mergeable"]);
        Assert.Equal("dirty", (await forge.Settled(two))["mergeable_state"].ToString());
        (await forge.Put($"/repos/octo/app/pulls/{two}/merge", new { })).Expect(405);
        (await forge.Put($"/repos/octo/app/pulls/{three}/update-branch", new { })).Expect(202);
        Assert.Equal(2, (await forge.Get($"/repos/octo/app/pulls/{three}/commits")).Json!.AsArray().Count);
        (await forge.Put($"/repos/octo/app/pulls/{three}/merge", new { merge_method = "rebase" })).Expect(200);
        var log = (await forge.Get("/repos/octo/app/commits?sha=main")).Json!.AsArray();
        Assert.Equal("Write c.txt", log[0]!["commit"]!["message"]!.ToString());
        Assert.Equal("One\n\nBody", log[1]!["commit"]!["message"]!.ToString());
        Assert.Single(log[1]!["parents"]!.AsArray());
        Assert.Equal("octo", log[1]!["committer"]!["login"]!.ToString());
        Assert.Equal("dev", log[1]!["author"]!["login"]!.ToString());
    }

    [Fact]
    public async Task Reviews_FollowTheLinesAndKeepTheirVerdicts()
    {
        await using var forge = await ForgeHost.StartAsync(Stop);
        await forge.Commit("feature", "src/a.txt", "1\n2\nTHREE\n4\n5\n6\n7\n8\nNINE\n");
        var n = await forge.Pull("feature");
        var pulls = $"/repos/octo/app/pulls/{n}";
        (await forge.Post($"{pulls}/reviews", new { @event = "APPROVE" }, "dev")).Expect(422);
        (await forge.Post($"{pulls}/reviews", new { @event = "REQUEST_CHANGES", body = "x" }, "dev")).Expect(422);
        (await forge.Post($"{pulls}/reviews", new { @event = "COMMENT", body = "x", comments = new[] { new { path = "src/a.txt", line = 900, body = "where" } } })).Expect(422);
        (await forge.Post($"{pulls}/reviews", new { @event = "COMMENT", body = "x", comments = new[] { new { path = "nope.txt", line = 1, body = "where" } } })).Expect(422);
        Assert.Empty((await forge.Get($"{pulls}/reviews")).Json!.AsArray());

        var review = (await forge.Post($"{pulls}/reviews", new
        {
            @event = "REQUEST_CHANGES",
            body = "Not yet",
            comments = new object[] { new { path = "src/a.txt", line = 3, side = "RIGHT", body = "Third" }, new { path = "src/a.txt", line = 9, body = "Ninth" }, new { path = "src/a.txt", line = 3, side = "LEFT", body = "Old third" } },
        })).Expect(200);
        Assert.Equal("CHANGES_REQUESTED", review["state"].ToString());
        var comments = (await forge.Get($"{pulls}/comments")).Json!.AsArray();
        Assert.Equal(3, comments.Count);
        Assert.EndsWith("+THREE", comments[0]!["diff_hunk"]!.ToString(), StringComparison.Ordinal);
        var reply = (await forge.Post($"{pulls}/comments/{comments[0]!["id"]}/replies", new { body = "Done" }, "dev")).Expect(201);
        Assert.Equal(comments[0]!["id"]!.ToString(), reply["in_reply_to_id"].ToString());
        (await forge.Post($"{pulls}/comments", new { body = "Also", commit_id = review["commit_id"].ToString(), path = "src/a.txt", in_reply_to = (long)comments[1]!["id"]! }, "dev")).Expect(201);
        (await forge.Post($"{pulls}/comments", new { body = "File", commit_id = review["commit_id"].ToString(), path = "src/a.txt", subject_type = "file" }, "reader")).Expect(201);

        // A line is put on top and the ninth rewritten: the third moves, the ninth is outdated.
        await forge.Commit("feature", "src/a.txt", "0\n1\n2\nTHREE\n4\n5\n6\n7\n8\nnine again\n");
        var threads = await Threads(forge, n);
        Assert.Equal((4, false), ((int?)threads[0]!["line"], (bool)threads[0]!["isOutdated"]!));
        Assert.Equal((null, true), ((int?)threads[1]!["line"], (bool)threads[1]!["isOutdated"]!));
        Assert.Equal(2, threads[0]!["comments"]!["nodes"]!.AsArray().Count);
        Assert.Equal("octo", threads[0]!["comments"]!["nodes"]![0]!["author"]!["login"]!.ToString());

        var id = threads[0]!["id"]!.ToString();
        var resolved = await forge.GraphQl("mutation($t: ID!) { resolveReviewThread(input: {threadId: $t}) { thread { isResolved } } }", new { t = id }, "dev");
        Assert.True((bool)resolved["data"]!["resolveReviewThread"]!["thread"]!["isResolved"]!);
        await forge.GraphQl("mutation($t: ID!) { addPullRequestReviewThreadReply(input: {pullRequestReviewThreadId: $t, body: \"in abc\"}) { comment { databaseId body } } }", new { t = id }, "dev");
        Assert.Equal(3, (await Threads(forge, n))[0]!["comments"]!["nodes"]!.AsArray().Count);
        var forbidden = await forge.GraphQl("mutation($t: ID!) { unresolveReviewThread(input: {threadId: $t}) { thread { isResolved } } }", new { t = id }, "reader");
        Assert.Equal("FORBIDDEN", forbidden["errors"]![0]!["type"]!.ToString());

        (await forge.Get($"{pulls}/reviews/{review["id"]}")).Expect(200);
        (await forge.Get($"{pulls}/reviews/{review["id"]}/comments")).Expect(200);
        Assert.Equal("DISMISSED", (await forge.Put($"{pulls}/reviews/{review["id"]}/dismissals", new { message = "ok" }, "dev")).Expect(200)["state"].ToString());
        var pending = (await forge.Post($"{pulls}/reviews", new { body = "Later" })).Expect(200);
        Assert.DoesNotContain((await forge.Get($"{pulls}/reviews", "dev")).Json!.AsArray(), r => r!["state"]!.ToString() == "PENDING");
        Assert.Equal("APPROVED", (await forge.Post($"{pulls}/reviews/{pending["id"]}/events", new { @event = "APPROVE" })).Expect(200)["state"].ToString());
        var mine = (await forge.Get("/repos/octo/app/pulls/comments?since=2020-01-01T00:00:00Z&sort=updated")).Json!.AsArray()[0]!["id"];
        (await forge.Patch($"/repos/octo/app/pulls/comments/{mine}", new { body = "edited" })).Expect(200);
        (await forge.Get($"/repos/octo/app/pulls/comments/{mine}")).Expect(200);
        var eyes = (await forge.Post($"/repos/octo/app/pulls/comments/{mine}/reactions", new { content = "eyes" }, "dev")).Expect(201)["id"];
        Assert.Single((await forge.Get($"/repos/octo/app/pulls/comments/{mine}/reactions")).Expect(200).Json!.AsArray());
        (await forge.Delete($"/repos/octo/app/pulls/comments/{mine}/reactions/{eyes}", null, "dev")).Expect(204);
        (await forge.Delete($"/repos/octo/app/pulls/comments/{mine}")).Expect(204);
    }

    [Fact]
    public async Task Protection_BlocksUntilApproved()
    {
        await using var forge = await ForgeHost.StartAsync(Stop);
        forge.Server.Admin.Protect("octo", "app", new ForgeProtection { Branch = "main", RequiredApprovals = 1 });
        await forge.Commit("feature", "b.txt", "x\n");
        var n = await forge.Pull("feature");

        Assert.Equal("blocked", (await forge.Settled(n))["mergeable_state"].ToString());
        (await forge.Put($"/repos/octo/app/pulls/{n}/merge", new { }, "dev")).Expect(405);
        (await forge.Post($"/repos/octo/app/pulls/{n}/reviews", new { @event = "APPROVE" })).Expect(200);
        Assert.Equal("clean", (await forge.Settled(n))["mergeable_state"].ToString());
        (await forge.Put($"/repos/octo/app/pulls/{n}/merge", new { }, "dev")).Expect(200);
    }

    [Fact]
    public async Task Pull_CanBeEditedClosedReopenedAndReadAsText()
    {
        await using var forge = await ForgeHost.StartAsync(Stop);
        await forge.Commit("feature", "b.txt", "x\n");
        var n = await forge.Pull("feature");
        var path = $"/repos/octo/app/pulls/{n}";

        Assert.Equal("T", (await forge.Patch(path, new { title = "T", body = "B" }, "dev")).Expect(200)["title"].ToString());
        (await forge.Patch(path, new { title = "no" }, "reader")).Expect(403);
        (await forge.Patch(path, new { state = "closed" }, "dev")).Expect(200);
        Assert.Empty((await forge.Get("/repos/octo/app/pulls")).Json!.AsArray());
        Assert.Equal("open", (await forge.Patch(path, new { state = "open" }, "dev")).Expect(200)["state"].ToString());
        Assert.Contains("+x", (await forge.Get(path, accept: "application/vnd.github.v3.diff")).Expect(200).Text, StringComparison.Ordinal);
        Assert.Contains("Subject: [PATCH] Write b.txt", (await forge.Get(path, accept: "application/vnd.github.patch")).Expect(200).Text, StringComparison.Ordinal);
        Assert.Equal("b.txt", (await forge.Get(path + "/files")).Expect(200).Json![0]!["filename"]!.ToString());
        (await forge.Post(path + "/requested_reviewers", new { reviewers = new[] { "dev" } })).Expect(422);
        (await forge.Post(path + "/requested_reviewers", new { reviewers = new[] { "octo" } })).Expect(201);
        Assert.Single((await forge.Get(path + "/requested_reviewers")).Expect(200)["users"].AsArray());
        (await forge.Delete(path + "/requested_reviewers", new { reviewers = new[] { "octo" } })).Expect(200);
        (await forge.Delete("/repos/octo/app/git/refs/heads/feature", null, "dev")).Expect(204);
        Assert.Equal("closed", (await forge.Get(path))["state"].ToString());
        (await forge.Patch(path, new { state = "open" }, "dev")).Expect(422);
        foreach (var page in (string[])["/web/octo/app", "/web/octo/app/pulls", $"/web/octo/app/pull/{n}", "/web/octo/app/issues", "/-/forge.css"])
        {
            Assert.Equal(200, (await forge.Get(page)).Status);
        }
    }

    private static async Task<JsonArray> Threads(ForgeHost forge, int number)
    {
        const string query = """
            query Threads($owner: String!, $name: String!, $number: Int!, $after: String = null) {
              repo: repository(owner: $owner, name: $name) { pullRequest(number: $number) { __typename id reviewThreads(first: 50, after: $after) {
                nodes { ...T } pageInfo { hasNextPage endCursor } } } }
            }
            fragment T on PullRequestReviewThread { id isResolved isOutdated path line comments(first: 20) { nodes { id databaseId body author { login } } } }
            """;
        var answer = await forge.GraphQl(query, new { owner = "octo", name = "app", number });
        Assert.True(answer["errors"] is null, answer.ToJsonString());
        return answer["data"]!["repo"]!["pullRequest"]!["reviewThreads"]!["nodes"]!.AsArray();
    }
}
