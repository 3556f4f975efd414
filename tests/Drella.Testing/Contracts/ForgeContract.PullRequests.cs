using Drella.Core;
using Drella.Core.Forges;

namespace Drella.Testing.Contracts;

public abstract partial class ForgeContract
{
    [Fact]
    public async Task PullRequest_GoesFromDraftToReadyToMerged()
    {
        var opened = await OpenAsync("drella/a");
        Assert.Equal(PullRequestState.Draft, opened.State);
        Assert.Equal(("main", "drella/a"), (opened.BaseBranch, opened.HeadBranch));
        Assert.Equal((await Bot.WhoAmIAsync(Cancel)).Id, opened.Author.Id);

        await Bot.SetDraftAsync(Repo, opened.Number, draft: false, Cancel);
        await Bot.SetDraftAsync(Repo, opened.Number, draft: false, Cancel);
        Assert.Equal(PullRequestState.Open, (await Bot.PullRequestAsync(Repo, opened.Number, Cancel)).State);
        await World.MergeAsync(opened.Number, Cancel);

        var merged = await Bot.PullRequestAsync(Repo, opened.Number, Cancel);
        Assert.Equal(PullRequestState.Merged, merged.State);
        Assert.Equal(await Bot.BranchHeadAsync(Repo, "main", Cancel), merged.MergeCommit);
        Assert.Equal((await World.Person.WhoAmIAsync(Cancel)).Id, merged.MergedBy?.Id);
    }

    [Fact]
    public async Task SetDraft_GoesBackToo()
    {
        var opened = await OpenAsync("drella/a", draft: false);
        Assert.Equal(PullRequestState.Open, opened.State);

        await Bot.SetDraftAsync(Repo, opened.Number, draft: true, Cancel);

        Assert.Equal(PullRequestState.Draft, (await Bot.PullRequestAsync(Repo, opened.Number, Cancel)).State);
    }

    [Fact]
    public async Task OpenPullRequest_UnderTheSameKeyGivesTheSame()
    {
        var first = await OpenAsync("drella/a");

        var again = await Bot.OpenPullRequestAsync(Repo, New("drella/a"), Cancel);

        Assert.Equal(first.Number, again.Number);
        await FailsAsync(
            DriverFailure.Conflict, () => Bot.OpenPullRequestAsync(Repo, New("drella/a") with { Key = new EffectKey("other/open") }, Cancel));
    }

    [Fact]
    public async Task OpenPullRequest_FailsWithoutABranchOrACommit()
    {
        await FailsAsync(DriverFailure.Invalid, () => Bot.OpenPullRequestAsync(Repo, New("drella/absent"), Cancel));
        await FailsAsync(DriverFailure.Invalid, () => Bot.OpenPullRequestAsync(Repo, New("main"), Cancel));
    }

    [Fact]
    public async Task FindPullRequest_SeesTheNewestInWhateverState()
    {
        Assert.Null(await Bot.FindPullRequestAsync(Repo, "drella/a", Cancel));
        var first = await OpenAsync("drella/a");
        Assert.Equal(first.Number, (await Bot.FindPullRequestAsync(Repo, "drella/a", Cancel))?.Number);
        Assert.Null(await Bot.FindPullRequestAsync(Repo, "drella/b", Cancel));
        Assert.Null(await Bot.FindPullRequestAsync(Repo, "a", Cancel));

        await Bot.ClosePullRequestAsync(Repo, first.Number, Cancel);
        var closed = await Bot.FindPullRequestAsync(Repo, "drella/a", Cancel);
        Assert.Equal((first.Number, PullRequestState.Closed), (closed!.Number, closed.State));

        var second = await Bot.OpenPullRequestAsync(Repo, New("drella/a") with { Key = new EffectKey("second/open") }, Cancel);
        Assert.Equal(second.Number, (await Bot.FindPullRequestAsync(Repo, "drella/a", Cancel))?.Number);
    }

    [Fact]
    public async Task UpdatePullRequest_ChangesWhatIsGivenAndKeepsTheKey()
    {
        var opened = await OpenAsync("drella/a");

        await Bot.UpdatePullRequestAsync(Repo, opened.Number, "Neuer Titel ✓", null, Cancel);
        await Bot.UpdatePullRequestAsync(Repo, opened.Number, null, "new body", Cancel);
        await Bot.UpdatePullRequestAsync(Repo, opened.Number, null, null, Cancel);

        var read = await Bot.PullRequestAsync(Repo, opened.Number, Cancel);
        Assert.Equal(("Neuer Titel ✓", "new body"), (read.Title, read.Body));
        Assert.Equal(opened.Number, (await Bot.OpenPullRequestAsync(Repo, New("drella/a"), Cancel)).Number);
    }

    [Fact]
    public async Task PullRequest_SeesANewHead()
    {
        var opened = await OpenAsync("drella/a");

        var head = await World.CommitAsync("drella/a", "README.md", "one\ntwo\nthree\nfour\nfive\n", Cancel);

        Assert.Equal(head, (await Bot.PullRequestAsync(Repo, opened.Number, Cancel)).HeadCommit);
    }

    [Fact]
    public async Task PullRequest_IsNotFoundForIssuesAndUnknownNumbers()
    {
        var issue = await World.OpenIssueAsync("i", "", [], Cancel);

        await FailsAsync(DriverFailure.NotFoundOrNoAccess, () => Bot.PullRequestAsync(Repo, issue, Cancel));
        await FailsAsync(DriverFailure.NotFoundOrNoAccess, () => Bot.PullRequestAsync(Repo, 9999, Cancel));
        await FailsAsync(DriverFailure.NotFoundOrNoAccess, () => Bot.PullRequestAsync(World.Hidden, 1, Cancel));
    }

    [Fact]
    public async Task Remarks_HoldCommentsInlineCommentsAndReviews()
    {
        var pull = await OpenAsync("drella/a");
        await World.Person.CommentAsync(Repo, pull.Number, "conversation", new EffectKey("p/1"), Cancel);
        await World.Person.SubmitReviewAsync(
            Repo, pull.Number, new NewReview(ReviewVerdict.RequestChanges, "please", pull.HeadCommit, [new("README.md", 4, "this line")]),
            new EffectKey("p/2"), Cancel);

        var remarks = await Bot.RemarksAsync(Repo, pull.Number, Cancel);

        Assert.Equal("conversation", Assert.Single(remarks, r => r.Kind == RemarkKind.Comment).Body);
        var review = Assert.Single(remarks, r => r.Kind == RemarkKind.Review);
        Assert.Equal(("please", ReviewVerdict.RequestChanges), (review.Body, review.Verdict!.Value));
        var inline = Assert.Single(remarks, r => r.Kind == RemarkKind.Inline);
        Assert.Equal(("this line", "README.md", 4, inline.Id, false),
            (inline.Body, inline.Place!.Path, inline.Place.Line ?? 0, inline.Place.ThreadId, inline.Place.IsResolved));
        Assert.Equal(pull.HeadCommit, inline.Place.Commit);
        Assert.StartsWith("@@", inline.Place.Hunk, StringComparison.Ordinal);
        Assert.All(remarks, r => Assert.Equal(remarks[0].Author, r.Author));
    }

    [Fact]
    public async Task Remarks_AreEmptyAtFirst()
    {
        var pull = await OpenAsync("drella/a");

        Assert.Empty(await Bot.RemarksAsync(Repo, pull.Number, Cancel));
    }

    [Fact]
    public async Task Review_OfInlineCommentsOnlyIsStillAReview()
    {
        var pull = await OpenAsync("drella/a");
        await World.Person.SubmitReviewAsync(
            Repo, pull.Number, new NewReview(ReviewVerdict.Comment, "", pull.HeadCommit, [new("README.md", 4, "here")]), new EffectKey("p/1"), Cancel);

        var review = Assert.Single(await Bot.RemarksAsync(Repo, pull.Number, Cancel), r => r.Kind == RemarkKind.Review);

        Assert.Equal(("", ReviewVerdict.Comment), (review.Body, review.Verdict!.Value));
    }

    [Fact]
    public async Task Review_OutsideTheDiffIsToldInTheBody()
    {
        var pull = await OpenAsync("drella/a");

        await World.Person.SubmitReviewAsync(
            Repo, pull.Number, new NewReview(ReviewVerdict.Comment, "sum", pull.HeadCommit,
                [new("README.md", 4, "inside"), new("README.md", 400, "far below"), new("absent.md", 1, "elsewhere")]),
            new EffectKey("p/1"), Cancel);

        var remarks = await Bot.RemarksAsync(Repo, pull.Number, Cancel);
        Assert.Equal("inside", Assert.Single(remarks, r => r.Kind == RemarkKind.Inline).Body);
        var body = Assert.Single(remarks, r => r.Kind == RemarkKind.Review).Body;
        Assert.Contains("far below", body, StringComparison.Ordinal);
        Assert.Contains("elsewhere", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Review_UnderTheSameKeyIsSubmittedOnce()
    {
        var pull = await OpenAsync("drella/a");
        var review = new NewReview(ReviewVerdict.Approve, "good", pull.HeadCommit, []);

        await World.Person.SubmitReviewAsync(Repo, pull.Number, review, new EffectKey("p/1"), Cancel);
        await World.Person.SubmitReviewAsync(Repo, pull.Number, review, new EffectKey("p/1"), Cancel);

        Assert.Single(await Bot.RemarksAsync(Repo, pull.Number, Cancel));
    }

    [Fact]
    public async Task Review_CannotApproveOnesOwn()
    {
        var pull = await OpenAsync("drella/a");

        await FailsAsync(DriverFailure.Invalid, () => Bot.SubmitReviewAsync(
            Repo, pull.Number, new NewReview(ReviewVerdict.Approve, "me", pull.HeadCommit, []), new EffectKey("b/1"), Cancel));
    }

    [Fact]
    public async Task Thread_IsAnsweredOnceAndResolved()
    {
        var pull = await OpenAsync("drella/a");
        await World.Person.SubmitReviewAsync(
            Repo, pull.Number, new NewReview(ReviewVerdict.Comment, "", pull.HeadCommit, [new("README.md", 4, "why?"), new("README.md", 3, "and this?")]),
            new EffectKey("p/1"), Cancel);
        var threads = (await Bot.RemarksAsync(Repo, pull.Number, Cancel)).Where(r => r.Kind == RemarkKind.Inline).Select(r => r.Place!.ThreadId).ToList();

        var first = await Bot.ReplyAsync(Repo, pull.Number, threads[0], "Because.", new EffectKey("j/reply/1"), Cancel);
        var again = await Bot.ReplyAsync(Repo, pull.Number, threads[0], "Because.", new EffectKey("j/reply/1"), Cancel);
        await Bot.ResolveThreadAsync(Repo, pull.Number, threads[0], Cancel);
        await Bot.ResolveThreadAsync(Repo, pull.Number, threads[0], Cancel);

        Assert.Equal(first, again);
        var inline = (await Bot.RemarksAsync(Repo, pull.Number, Cancel)).Where(r => r.Kind == RemarkKind.Inline).ToList();
        Assert.Equal(3, inline.Count);
        Assert.Equal((threads[0], "Because."), (inline.Single(r => r.Id == first).Place!.ThreadId, inline.Single(r => r.Id == first).Body));
        Assert.All(inline, r => Assert.Equal(r.Place!.ThreadId == threads[0], r.Place.IsResolved));
    }

    [Fact]
    public async Task Thread_ThatIsUnknownIsNotFound()
    {
        var pull = await OpenAsync("drella/a");

        await FailsAsync(DriverFailure.NotFoundOrNoAccess, () => Bot.ReplyAsync(Repo, pull.Number, "999999", "x", new EffectKey("k"), Cancel));
        await FailsAsync(DriverFailure.NotFoundOrNoAccess, () => Bot.ResolveThreadAsync(Repo, pull.Number, "999999", Cancel));
    }

    [Fact]
    public async Task Reaction_WorksOnInlineComments()
    {
        var pull = await OpenAsync("drella/a");
        await World.Person.SubmitReviewAsync(
            Repo, pull.Number, new NewReview(ReviewVerdict.Comment, "", pull.HeadCommit, [new("README.md", 4, "why?")]), new EffectKey("p/1"), Cancel);
        var inline = Assert.Single(await Bot.RemarksAsync(Repo, pull.Number, Cancel), r => r.Kind == RemarkKind.Inline);

        await Bot.ReactAsync(Repo, new ReactionTarget(ReactionTargetKind.Inline, inline.Id), Reaction.Rocket, Cancel);
        await Bot.ReactAsync(Repo, new ReactionTarget(ReactionTargetKind.Inline, inline.Id), Reaction.Rocket, Cancel);
    }

    private async Task<PullRequest> OpenAsync(string branch, bool draft = true)
    {
        var head = await World.CommitAsync(branch, "README.md", "one\ntwo\nthree\nfour\n", Cancel);
        var opened = await Bot.OpenPullRequestAsync(Repo, New(branch) with { Draft = draft }, Cancel);
        Assert.Equal(head, opened.HeadCommit);
        return opened;
    }

    private static NewPullRequest New(string branch) => new("Añade 🚀", "What and why.", "main", branch, Draft: true, new EffectKey($"{branch}/open"));
}
