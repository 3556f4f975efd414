using System.Net;
using Drella.Core.Forges;
using Drella.Drivers.Forges.GitHub;
using Drella.Testing;
using Drella.Testing.OpenApi;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drella.Drivers.Tests.Forges.GitHub;

/// <summary>Every call of the port, its requests judged by GitHub's description before they leave.</summary>
public sealed class RequestTests
{
    private const string Commit = "6dcb09b5b57875f334f61aebed695e2e4193db5e";
    private const string Other = "7638417db6d59f3c431d3e1f261cc637155684cd";

    private static readonly RepoName Repo = RepoName.Parse("o/r");
    private static readonly EffectKey Key = new("job-1/step");

    public static TheoryData<string> Calls => [.. All.Keys];

    private static Dictionary<string, Func<GitHubForge, CancellationToken, Task>> All { get; } = new()
    {
        ["WhoAmI"] = (f, c) => f.WhoAmIAsync(c),
        ["Permission"] = (f, c) => f.PermissionAsync(Repo, "some[bot]", c),
        ["Repo"] = (f, c) => f.RepoAsync(Repo, c),
        ["BranchHead"] = (f, c) => f.BranchHeadAsync(Repo, "drella/a", c),
        ["Folder"] = (f, c) => f.FolderAsync(Repo, Commit, "in-progress", c),
        ["Blob"] = (f, c) => f.BlobAsync(Repo, Commit, 10, c),
        ["LastCommit"] = (f, c) => f.LastCommitAsync(Repo, "drella/a", "in-progress/ü.md", c),
        ["MoveFile"] = (f, c) => f.MoveFileAsync(Repo, "drella/a", "in-progress/a.md", "done/a.md", "Move", c),
        ["DeleteBranch"] = (f, c) => f.DeleteBranchAsync(Repo, "drella/a", Commit, c),
        ["FindPullRequest"] = (f, c) => f.FindPullRequestAsync(Repo, "drella/a", c),
        ["PullRequest"] = (f, c) => f.PullRequestAsync(Repo, 1, c),
        ["OpenPullRequest"] = (f, c) => f.OpenPullRequestAsync(Repo, new NewPullRequest("t", "b", "main", "drella/a", true, Key), c),
        ["UpdateTitle"] = (f, c) => f.UpdatePullRequestAsync(Repo, 1, "t", null, c),
        ["UpdateBody"] = (f, c) => f.UpdatePullRequestAsync(Repo, 1, null, "b", c),
        ["SetDraft"] = (f, c) => f.SetDraftAsync(Repo, 1, draft: false, c),
        ["ClosePullRequest"] = (f, c) => f.ClosePullRequestAsync(Repo, 1, c),
        ["Remarks"] = (f, c) => f.RemarksAsync(Repo, 1, c),
        ["Comments"] = (f, c) => f.CommentsAsync(Repo, 1, c),
        ["Comment"] = (f, c) => f.CommentAsync(Repo, 1, "b", Key, c),
        ["FindComment"] = (f, c) => f.FindCommentAsync(Repo, 1, Key, c),
        ["EditComment"] = (f, c) => f.EditCommentAsync(Repo, "5", "b", Key, c),
        ["Reply"] = (f, c) => f.ReplyAsync(Repo, 1, "10", "b", Key, c),
        ["ResolveThread"] = (f, c) => f.ResolveThreadAsync(Repo, 1, "10", c),
        ["SubmitReview"] = (f, c) => f.SubmitReviewAsync(
            Repo, 1, new NewReview(ReviewVerdict.RequestChanges, "b", Commit, [new("a.cs", 1, "x"), new("b.cs", 1, "y")]), Key, c),
        ["SubmitPlainReview"] = (f, c) => f.SubmitReviewAsync(Repo, 1, new NewReview(ReviewVerdict.Approve, "", Commit, []), Key, c),
        ["OpenIssues"] = (f, c) => f.OpenIssuesAsync(Repo, c),
        ["Issue"] = (f, c) => f.IssueAsync(Repo, 1, c),
        ["CloseIssue"] = (f, c) => f.CloseIssueAsync(Repo, 1, completed: true, c),
        ["CloseIssueNotPlanned"] = (f, c) => f.CloseIssueAsync(Repo, 1, completed: false, c),
        ["ReactToIssue"] = (f, c) => f.ReactAsync(Repo, new(ReactionTargetKind.Issue, "1"), Reaction.Eyes, c),
        ["ReactToComment"] = (f, c) => f.ReactAsync(Repo, new(ReactionTargetKind.Comment, "5"), Reaction.ThumbsUp, c),
        ["ReactToInline"] = (f, c) => f.ReactAsync(Repo, new(ReactionTargetKind.Inline, "5"), Reaction.Hooray, c),
        ["Checks"] = (f, c) => f.ChecksAsync(Repo, Commit, c),
        ["SetStatus"] = (f, c) => f.SetStatusAsync(Repo, Commit, new StatusReport("drella", CheckOutcome.Failed, "d", null), c),
        ["EnsureWebhook"] = (f, c) => f.EnsureWebhookAsync(Repo, "https://us.example/hook", "s", c),
        ["ChangeWebhook"] = (f, c) => f.EnsureWebhookAsync(Repo, "https://known.example/hook", "s", c),
    };

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task Call_SendsOnlyWhatGitHubDocuments(string call)
    {
        var gate = OpenApiGate.Load();
        var stub = new Stub(Answer);
        using var forge = new GitHubForge(
            Stub.Options, new OpenApiHandler(gate) { InnerHandler = stub }, new FakeTime(), NullLogger<GitHubForge>.Instance);

        await All[call](forge, TestContext.Current.CancellationToken);

        Assert.NotEmpty(stub.Requests);
        gate.AssertClean();
    }

    [Fact]
    public async Task MoveFile_BuildsOnTheHeadWithoutForce()
    {
        var stub = new Stub(Answer);
        using var forge = Stub.Forge(stub);

        await forge.MoveFileAsync(Repo, "drella/a", "in-progress/a.md", "done/a.md", "Move", TestContext.Current.CancellationToken);

        var writes = stub.Requests.Where(r => r.Method != HttpMethod.Get).Select(r => r.Body).ToList();
        Assert.Equal(
            [
                $$"""{"base_tree":"{{Other}}","tree":[{"path":"done/a.md","mode":"100755","type":"blob","sha":"{{Commit}}"},{"path":"in-progress/a.md","mode":"100755","type":"blob","sha":null}]}""",
                $$"""{"message":"Move","tree":"{{Commit}}","parents":["{{Commit}}"]}""",
                $$"""{"sha":"{{Commit}}","force":false}""",
            ],
            writes);
    }

    [Fact]
    public async Task MoveFile_TriesAgainOnTheNewHeadWhenSomebodyWasFaster()
    {
        const string NewHead = "1111111111111111111111111111111111111111";
        var heads = new Queue<string>([Commit, NewHead, NewHead]);
        var patches = 0;
        var stub = new Stub(seen =>
            seen.Url.AbsolutePath.EndsWith("/git/ref/heads/drella/a", StringComparison.Ordinal)
                ? Stub.Json($$$"""{"ref":"refs/heads/drella/a","object":{"sha":"{{{(heads.Count > 1 ? heads.Dequeue() : heads.Peek())}}}"}}""")
            : seen.Method == HttpMethod.Patch && patches++ == 0
                ? Stub.Json("""{"message":"Update is not a fast forward"}""", HttpStatusCode.UnprocessableEntity)
            : Answer(seen));
        using var forge = Stub.Forge(stub);

        await forge.MoveFileAsync(Repo, "drella/a", "in-progress/a.md", "done/a.md", "Move", TestContext.Current.CancellationToken);

        Assert.Equal(2, patches);
        Assert.Contains($"\"parents\":[\"{NewHead}\"]", stub.Requests.Last(r => r.Url.AbsolutePath.EndsWith("/git/commits", StringComparison.Ordinal)).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task EnsureWebhook_WritesWhenItCannotKnowTheSecretAndNotAgain()
    {
        var stub = new Stub(Answer);
        using var forge = Stub.Forge(stub);
        Task Ensure(string secret) => forge.EnsureWebhookAsync(Repo, "https://good.example/hook", secret, TestContext.Current.CancellationToken);

        await Ensure("one");
        Assert.Equal(HttpMethod.Patch, stub.Requests[^1].Method);
        await Ensure("one");
        Assert.Equal(HttpMethod.Get, stub.Requests[^1].Method);
        await Ensure("two");

        Assert.Equal(HttpMethod.Patch, stub.Requests[^1].Method);
        Assert.Contains("\"secret\":\"two\"", stub.Requests[^1].Body, StringComparison.Ordinal);
    }

    private static HttpResponseMessage Answer(Seen seen)
    {
        var path = seen.Url.AbsolutePath;
        bool Ends(string end) => path.EndsWith(end, StringComparison.Ordinal);
        if (seen.Method != HttpMethod.Get)
        {
            return Stub.Json(path == "/graphql" && seen.Body.Contains("reviewThreads", StringComparison.Ordinal)
                ? """{"data":{"repository":{"pullRequest":{"reviewThreads":{"pageInfo":{"hasNextPage":false},"nodes":[{"id":"T","isResolved":false,"comments":{"nodes":[{"id":"A"}]}}]}}}}}"""
                : $$$"""{"data":{},"id":5,"number":1,"base":{"ref":"main"},"head":{"ref":"drella/a","sha":"{{{Commit}}}"},"sha":"{{{Commit}}}"}""");
        }

        const string At = "2026-01-01T00:00:00Z";
        return Stub.Json(true switch
        {
            _ when Ends("/files") => """[{"filename":"a.cs","patch":"@@ -0,0 +1 @@\n+one"}]""",
            _ when Ends("/reviews") => "[]",
            _ when Ends("/pulls/1/comments") => $$"""[{"id":10,"node_id":"A","user":{"id":1,"login":"p"},"body":"why","path":"a.cs","commit_id":"{{Commit}}","created_at":"{{At}}"}]""",
            _ when Ends("/comments") => "[]",
            _ when Ends("/check-runs") => """{"total_count":0,"check_runs":[]}""",
            _ when Ends("/status") => """{"total_count":0,"statuses":[]}""",
            _ when Ends("/hooks") => """[{"id":3,"active":true,"events":["push"],"config":{"url":"https://known.example/hook","content_type":"json"}},{"id":4,"active":true,"events":["push","issues","issue_comment","pull_request","pull_request_review","pull_request_review_comment","pull_request_review_thread","check_run","check_suite","status"],"config":{"url":"https://good.example/hook","content_type":"json","insecure_ssl":"0","secret":"********"}}]""",
            _ when Ends("/issues") || Ends("/commits") || Ends("/pulls") => "[]",
            _ when path.Contains("/git/ref/", StringComparison.Ordinal) => $$$"""{"ref":"refs/heads/drella/a","object":{"sha":"{{{Commit}}}"}}""",
            _ when path.Contains("/git/commits/", StringComparison.Ordinal) => $$$"""{"tree":{"sha":"{{{Other}}}"}}""",
            _ when Ends("/git/trees/" + Other) => $$"""{"tree":[{"path":"a.md","mode":"100755","type":"blob","sha":"{{Commit}}","size":3}]}""",
            _ when path.Contains("/git/trees/", StringComparison.Ordinal) => $$"""{"tree":[{"path":"in-progress","mode":"040000","type":"tree","sha":"{{Other}}"}]}""",
            _ when path.Contains("/git/blobs/", StringComparison.Ordinal) => """{"content":"aGVsbG8=\n","encoding":"base64","size":5}""",
            _ => $$$"""
                {"id":7,"login":"bot","permission":"write","default_branch":"main","number":1,"draft":true,"node_id":"N","updated_at":"{{{At}}}",
                 "base":{"ref":"main"},"head":{"ref":"drella/a","sha":"{{{Commit}}}"}}
                """,
        });
    }
}
