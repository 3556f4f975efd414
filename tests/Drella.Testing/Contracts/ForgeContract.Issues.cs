using Drella.Core;
using Drella.Core.Forges;

namespace Drella.Testing.Contracts;

public abstract partial class ForgeContract
{
    [Fact]
    public async Task Issue_IsReadWithItsLabels()
    {
        var number = await World.OpenIssueAsync("Größe 🚀", "Text\n\n- one\n", ["ready", "spec"], Cancel);

        var issue = await Bot.IssueAsync(Repo, number, Cancel);

        Assert.Equal((number, "Größe 🚀", true), (issue.Number, issue.Title, issue.IsOpen));
        Assert.Equal("Text\n\n- one", issue.Body.Trim());
        Assert.Equal(["ready", "spec"], issue.Labels.Order(StringComparer.Ordinal));
        Assert.Equal((await World.Person.WhoAmIAsync(Cancel)).Id, issue.Author.Id);
    }

    [Fact]
    public async Task OpenIssues_LeavePullRequestsAndClosedOnesOut()
    {
        var open = await World.OpenIssueAsync("open", "", [], Cancel);
        var closed = await World.OpenIssueAsync("closed", "", [], Cancel);
        var pull = await OpenAsync("drella/a");
        await Bot.CloseIssueAsync(Repo, closed, completed: true, Cancel);
        await Bot.CloseIssueAsync(Repo, closed, completed: true, Cancel);

        Assert.Equal([open], (await Bot.OpenIssuesAsync(Repo, Cancel)).Select(i => i.Number));
        Assert.False((await Bot.IssueAsync(Repo, closed, Cancel)).IsOpen);
        await FailsAsync(DriverFailure.NotFoundOrNoAccess, () => Bot.IssueAsync(Repo, pull.Number, Cancel));
        await FailsAsync(DriverFailure.NotFoundOrNoAccess, () => Bot.IssueAsync(Repo, 9999, Cancel));
    }

    [Fact]
    public async Task Comment_IsFoundByItsKeyAndRoundTrips()
    {
        var number = await World.OpenIssueAsync("i", "", [], Cancel);
        var key = new EffectKey("job-1/started");

        Assert.Null(await Bot.FindCommentAsync(Repo, number, key, Cancel));
        var id = await Bot.CommentAsync(Repo, number, "Begonnen: ünï 🚀", key, Cancel);
        var found = await Bot.FindCommentAsync(Repo, number, key, Cancel);

        Assert.Equal((RemarkKind.Comment, id, "Begonnen: ünï 🚀"), (found!.Kind, found.Id, found.Body));
        Assert.Equal((await Bot.WhoAmIAsync(Cancel)).Id, found.Author.Id);
        Assert.Null(await Bot.FindCommentAsync(Repo, number, new EffectKey("job-1/start"), Cancel));
        Assert.Null(await Bot.FindCommentAsync(Repo, number, new EffectKey("job-1/started/2"), Cancel));
    }

    [Fact]
    public async Task Comment_OfAnotherAccountIsNeverOurs()
    {
        var number = await World.OpenIssueAsync("i", "", [], Cancel);
        var key = new EffectKey("job-1/started");

        await World.Person.CommentAsync(Repo, number, "spoof", key, Cancel);

        Assert.Null(await Bot.FindCommentAsync(Repo, number, key, Cancel));
        Assert.NotNull(await World.Person.FindCommentAsync(Repo, number, key, Cancel));
    }

    [Fact]
    public async Task EditComment_KeepsTheKey()
    {
        var number = await World.OpenIssueAsync("i", "", [], Cancel);
        var key = new EffectKey("job-1/status");
        var id = await Bot.CommentAsync(Repo, number, "one", key, Cancel);

        await Bot.EditCommentAsync(Repo, id, "two", key, Cancel);

        var found = await Bot.FindCommentAsync(Repo, number, key, Cancel);
        Assert.Equal((id, "two"), (found!.Id, found.Body));
        await FailsAsync(DriverFailure.NotFoundOrNoAccess, () => Bot.EditCommentAsync(Repo, "999999", "x", key, Cancel));
    }

    [Fact]
    public async Task Comments_AreCompleteBeyondOnePage()
    {
        var number = await World.OpenIssueAsync("i", "", [], Cancel);
        for (var i = 1; i <= 105; i++)
        {
            await Bot.CommentAsync(Repo, number, $"comment {i}", new EffectKey($"k/{i}"), Cancel);
        }

        var comments = await Bot.CommentsAsync(Repo, number, Cancel);

        Assert.Equal(Enumerable.Range(1, 105).Select(i => $"comment {i}"), comments.Select(c => c.Body));
        Assert.Equal(105, comments.Select(c => c.Id).Distinct().Count());
        Assert.Equal("comment 105", (await Bot.FindCommentAsync(Repo, number, new EffectKey("k/105"), Cancel))?.Body);
    }

    [Fact]
    public async Task Reaction_IsAddedOnce()
    {
        var number = await World.OpenIssueAsync("i", "", [], Cancel);
        var target = new ReactionTarget(ReactionTargetKind.Issue, $"{number}");

        await Bot.ReactAsync(Repo, target, Reaction.Eyes, Cancel);
        await Bot.ReactAsync(Repo, target, Reaction.Eyes, Cancel);
        await Bot.ReactAsync(Repo, target, Reaction.ThumbsUp, Cancel);

        Assert.Equal(2, (await World.ReactionsAsync(number, Cancel)).Count);
    }

    [Theory]
    [InlineData(Reaction.Eyes)]
    [InlineData(Reaction.Rocket)]
    [InlineData(Reaction.Confused)]
    [InlineData(Reaction.ThumbsUp)]
    [InlineData(Reaction.Hooray)]
    public async Task Reaction_WorksOnComments(Reaction reaction)
    {
        var number = await World.OpenIssueAsync("i", "", [], Cancel);
        var id = await World.Person.CommentAsync(Repo, number, "hello", new EffectKey("p/1"), Cancel);

        await Bot.ReactAsync(Repo, new ReactionTarget(ReactionTargetKind.Comment, id), reaction, Cancel);

        await FailsAsync(
            DriverFailure.NotFoundOrNoAccess, () => Bot.ReactAsync(Repo, new ReactionTarget(ReactionTargetKind.Comment, "999999"), reaction, Cancel));
    }
}
