using System.Text.Json;
using System.Text.Json.Nodes;
using Drella.Core;
using Drella.Core.Forges;
using Drella.Testing;

namespace Drella.Drivers.Tests.Forges.GitHub;

/// <summary>The driver against what api.github.com really sent (recordings of hub4j/github-api).</summary>
public sealed class ReplayTests
{
    private static readonly RepoName Repo = RepoName.Parse("hub4j-test-org/github-api");
    private readonly FakeTime _time = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task OpenPullRequest_ReadsTheDraftThatGitHubMade()
    {
        var replay = new Replay("createDraftPullRequest", _time);
        using var forge = Stub.Forge(replay.Stub, time: _time);

        var opened = await forge.OpenPullRequestAsync(
            Repo, new NewPullRequest("createDraftPullRequest", "## test", "main", "test/stable", Draft: true, new EffectKey("j1/open")), Cancel);

        Assert.Equal(321, opened.Number);
        Assert.Equal(PullRequestState.Draft, opened.State);
        Assert.Equal("test/stable", opened.HeadBranch);
        Assert.Equal("main", opened.BaseBranch);
        Assert.Equal("1f40fdf4acf1adb246c109c21a22f617e4bd1ca8", opened.HeadCommit);
        Assert.Equal(new Actor("1958953", "bitwiseman", IsBot: false), opened.Author);
        var sent = JsonElement.Parse(Assert.Single(replay.Stub.Requests).Body);
        Assert.Equal("## test\n\n<!-- drella:j1/open -->", sent.GetProperty("body").GetString());
        Assert.True(sent.GetProperty("draft").GetBoolean());
    }

    [Fact]
    public async Task FindPullRequest_FindsByHeadBranch()
    {
        var replay = new Replay("createDraftPullRequest", _time);
        using var forge = Stub.Forge(replay.Stub, time: _time);

        Assert.Equal(321, (await forge.FindPullRequestAsync(Repo, "test/stable", Cancel))?.Number);
        Assert.Null(await forge.FindPullRequestAsync(Repo, "test/other", Cancel));
        Assert.Contains("head=hub4j-test-org%3Atest%2Fstable", replay.Stub.Requests[0].Url.Query, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SetDraft_MarksReadyThroughGraphQl()
    {
        // The recorded GET is the state after; the one before it is the answer to the POST, served here under the GET's path.
        var replay = new Replay("markReadyForReview", _time);
        var isReady = false;
        var stub = new Stub(seen =>
        {
            if (seen.Url.AbsolutePath == "/graphql")
            {
                isReady = true;
            }

            var path = !isReady && seen.Url.AbsolutePath.EndsWith("/pulls/486", StringComparison.Ordinal) ? "4-r_h_g_pulls.json" : null;
            return path is null
                ? new HttpMessageInvoker(replay.Stub).SendAsync(Again(seen), Cancel).Result
                : Stub.Json(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Forges/GitHub/data/recordings/markReadyForReview/__files", path)));
        });
        using var forge = Stub.Forge(stub, time: _time);

        Assert.Equal(PullRequestState.Draft, (await forge.PullRequestAsync(Repo, 486, Cancel)).State);
        await forge.SetDraftAsync(Repo, 486, draft: false, Cancel);
        await forge.SetDraftAsync(Repo, 486, draft: false, Cancel);
        Assert.Equal(PullRequestState.Open, (await forge.PullRequestAsync(Repo, 486, Cancel)).State);

        var mutation = JsonElement.Parse(Assert.Single(stub.Requests, r => r.Url.AbsolutePath == "/graphql").Body);
        Assert.Contains("markPullRequestReadyForReview", mutation.GetProperty("query").GetString(), StringComparison.Ordinal);
        Assert.Equal("PR_kwDODFTdCc6_MbEN", mutation.GetProperty("variables").GetProperty("id").GetString());
    }

    [Fact]
    public async Task Remarks_JoinThreadsByNodeIdAndLeavePendingReviewsOut()
    {
        var comments = Recorded("pullRequestReviewComments", "27-r_h_g_pulls_484_comments.json");
        var pending = Recorded("pullRequestReviews", "7-r_h_g_pulls_482_reviews.json").Trim()[1..^1];
        var submitted = Recorded("pullRequestReviews", "8-r_h_g_pulls_482_reviews_2121304234_events.json");
        using var forge = Stub.Forge(Conversation(comments, () => $"[{pending},{submitted},{string.Join(',', ReviewsOf(comments))}]"), time: _time);

        var remarks = await forge.RemarksAsync(Repo, 484, Cancel);

        var reply = Assert.Single(remarks, r => r.Id == "1641776796");
        Assert.Equal("1641776783", reply.Place!.ThreadId);
        Assert.True(reply.Place.IsResolved);
        Assert.Equal("README.md", reply.Place.Path);
        Assert.Equal(3, reply.Place.Line);
        Assert.Equal("07374fe73aff1c2024a8d4114b32406c7a8e89b7", reply.Place.Commit);
        Assert.False(Assert.Single(remarks, r => r.Id == "1641776780").Place!.IsResolved);
        var review = Assert.Single(remarks, r => r.Kind == RemarkKind.Review && r.Body.Length > 0);
        Assert.Equal((ReviewVerdict.Comment, "Some review comment"), (review.Verdict!.Value, review.Body));
    }

    [Fact]
    public async Task Remarks_LetInlineCommentsWaitForTheReviewThatTheyCameWith()
    {
        var comments = Recorded("pullRequestReviewComments", "27-r_h_g_pulls_484_comments.json");
        var all = ReviewsOf(comments);
        var late = all.Count - 1;
        var shown = late;
        using var forge = Stub.Forge(Conversation(comments, () => $"[{string.Join(',', all.Take(shown))}]"), time: _time);

        var before = await forge.RemarksAsync(Repo, 484, Cancel);
        shown = all.Count;
        var after = await forge.RemarksAsync(Repo, 484, Cancel);

        var waited = Assert.Single(after.Where(r => r.Kind == RemarkKind.Inline).Select(r => r.Id).Except(before.Select(r => r.Id)));
        Assert.Equal("1641776796", waited);
        Assert.Equal(late, before.Count(r => r.Kind == RemarkKind.Inline));
    }

    [Fact]
    public async Task Reply_AnswersUnderTheTopCommentAndKnowsItsOwnAnswer()
    {
        var replay = new Replay("pullRequestReviewComments", _time);
        using var forge = Stub.Forge(replay.Stub, time: _time);

        await Assert.ThrowsAsync<DriverException>(() => forge.ReplyAsync(Repo, 484, "1641776783", "x", new EffectKey("k"), Cancel));
        Assert.Equal("1641776796", await forge.ReplyAsync(Repo, 484, "1641776783", "This is a reply.", new EffectKey("k"), Cancel));

        Assert.EndsWith("/pulls/484/comments/1641776783/replies", replay.Stub.Requests[^1].Url.AbsolutePath, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Reaction.Eyes, "eyes")]
    [InlineData(Reaction.ThumbsUp, "+1")]
    [InlineData(Reaction.Rocket, "rocket")]
    public async Task React_SendsGitHubsNames(Reaction reaction, string content)
    {
        var replay = new Replay("pullRequestReviewComments", _time);
        using var forge = Stub.Forge(replay.Stub, time: _time);

        await forge.ReactAsync(Repo, new ReactionTarget(ReactionTargetKind.Inline, "1641776783"), reaction, Cancel);

        Assert.Equal(content, JsonElement.Parse(Assert.Single(replay.Stub.Requests).Body).GetProperty("content").GetString());
    }

    [Fact]
    public async Task React_WorksOnPullRequestsThroughTheirIssue()
    {
        var replay = new Replay("reactions", _time);
        using var forge = Stub.Forge(replay.Stub, time: _time);

        await forge.ReactAsync(Repo, new ReactionTarget(ReactionTargetKind.Issue, "474"), Reaction.Confused, Cancel);

        Assert.Equal("/repos/hub4j-test-org/github-api/issues/474/reactions", replay.Stub.Requests[0].Url.AbsolutePath);
    }

    [Fact]
    public async Task Checks_ReadRunsAndTakeNoStatusForNone()
    {
        var run = File.ReadAllText(Path.Combine(
            AppContext.BaseDirectory, "Forges/GitHub/data/recordings/createCheckRun/__files/5-r_h_t_check-runs.json"));
        var stub = new Stub(seen => Stub.Json(seen.Url.AbsolutePath.EndsWith("/check-runs", StringComparison.Ordinal)
            ? $$"""{"total_count":1,"check_runs":[{{run}}]}"""
            : """{"state":"pending","total_count":0,"statuses":[]}"""));
        using var forge = Stub.Forge(stub, time: _time);

        var check = Assert.Single(await forge.ChecksAsync(Repo, "89a9ae301e35e667756034fdc933b1fc94f63fc1", Cancel));

        Assert.Equal(("foo", CheckOutcome.Passed), (check.Name, check.Outcome));
        Assert.Equal("Some Title\n\nwhat happened…", check.Summary);
        Assert.Contains(stub.Requests, r => r.Url.Query.Contains("filter=latest", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Comments_AreReadAsRecorded()
    {
        var replay = new Replay("issueComment", _time);
        var repo = RepoName.Parse("hub4j-test-org/GHIssueTest");
        using var forge = Stub.Forge(replay.Stub, time: _time);

        Assert.Equal("yrodiere", (await forge.WhoAmIAsync(Cancel)).Login);
        Assert.Empty(await forge.CommentsAsync(repo, 15, Cancel));
        Assert.Equal("1254853505", await forge.CommentAsync(repo, 15, "First comment", new EffectKey("k"), Cancel));
    }

    [Fact]
    public async Task SecondRead_AsksByETagAndLivesOnTheOldBody()
    {
        var replay = new Replay("createDraftPullRequest", _time);
        using var forge = Stub.Forge(replay.Stub, time: _time);
        while (replay.Stub.Requests.Count < 3)
        {
            // Three recordings of this path; the last one stays.
            await forge.PullRequestAsync(Repo, 321, Cancel);
        }

        var last = await forge.PullRequestAsync(Repo, 321, Cancel);

        Assert.Equal(321, last.Number);
        Assert.Null(replay.Stub.Requests[0].IfNoneMatch);
        Assert.NotNull(replay.Stub.Requests[^1].IfNoneMatch);
    }

    private static string Recorded(string recording, string file) =>
        File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Forges/GitHub/data/recordings", recording, "__files", file));

    /// <summary>The reviews that the comments say they belong to. GitHub makes one, without a body, for every comment that stands alone, and lists it.</summary>
    private static List<string> ReviewsOf(string comments)
    {
        var like = JsonNode.Parse(Recorded("pullRequestReviews", "8-r_h_g_pulls_482_reviews_2121304234_events.json"))!;
        return
        [
            .. JsonNode.Parse(comments)!.AsArray().Select(comment => (long)comment!["pull_request_review_id"]!).Distinct().Order().Select(id =>
            {
                var review = like.DeepClone();
                (review["id"], review["body"]) = (id, "");
                return review.ToJsonString();
            }),
        ];
    }

    private static Stub Conversation(string comments, Func<string> reviews) => new(seen => Stub.Json(seen.Url.AbsolutePath switch
    {
        "/graphql" => """
            {"data":{"repository":{"pullRequest":{"reviewThreads":{"pageInfo":{"hasNextPage":false,"endCursor":null},"nodes":[
              {"id":"PRRT_1","isResolved":true,"comments":{"nodes":[{"id":"PRRC_kwDODFTdCc5h24aP"}]}},
              {"id":"PRRT_2","isResolved":false,"comments":{"nodes":[{"id":"PRRC_kwDODFTdCc5h24aM"}]}}]}}}}}
            """,
        var p when p.EndsWith("/pulls/484/comments", StringComparison.Ordinal) => comments,
        var p when p.EndsWith("/reviews", StringComparison.Ordinal) => reviews(),
        _ => "[]",
    }));

    private static HttpRequestMessage Again(Seen seen) => new(seen.Method, seen.Url) { Content = seen.Body.Length > 0 ? new StringContent(seen.Body) : null };
}
