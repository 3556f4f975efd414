using Drella.Core.Jobs;

namespace Drella.EndToEnd.Tests;

/// <summary>The main job from a merged spec to a merged pull request, told once for every kind of sandbox.</summary>
internal static class MainPath
{
    /// <param name="factory">Plays the demo's tape.</param>
    /// <param name="whileItWaits">What to look at while the pull request waits for people.</param>
    public static async Task TellAsync(FactoryFixture factory, Func<Job, Task> whileItWaits)
    {
        var token = TestContext.Current.CancellationToken;
        await factory.MergeSpecAsync("greet-loudly", await File.ReadAllTextAsync(FactoryFixture.Shipped("spec.md"), token));
        factory.Daemon.Factory.Nudge();
        var open = await factory.JobAsync(job => job is { Phase: JobPhase.InReview, Step: null } || job.Conclusion is not null);
        Assert.True(open.Conclusion is null, factory.Story());
        Assert.True(open.IsReady);
        await whileItWaits(open);

        await factory.Person.ReviewAsync(
            FactoryFixture.Repo, open.PullRequest!.Number, "Good. The command line should offer it too.", [("greet.js", 1, "Please describe the option, and give it a default.")], token);
        factory.Daemon.Factory.Nudge();
        var updated = await factory.JobAsync(job => job is { Phase: JobPhase.InReview, Step: null, Feedback.Count: 2 } && !job.OpenFeedback.Any() || job.Conclusion is not null);
        Assert.True(updated.Conclusion is null, factory.Story());
        Assert.All(updated.Feedback.Values, row => Assert.Equal(Disposition.Fixed, row.Disposition));

        await factory.Person.MergeAsync(FactoryFixture.Repo, open.PullRequest.Number, token);
        factory.Daemon.Factory.Nudge();
        var done = await factory.JobAsync(job => job is { Conclusion: not null, Step: null });
        Assert.Equal(JobConclusion.Merged, done.Conclusion);
        Assert.Contains("greet-loudly.md", await factory.Person.FolderAsync(FactoryFixture.Tasks, "done", token));
        Assert.DoesNotContain("greet-loudly.md", await factory.Person.FolderAsync(FactoryFixture.Tasks, "in-progress", token));
        Assert.Empty(await factory.Daemon.Sandboxes.ListAsync(token));
        Assert.Null((await factory.Daemon.Store.Journal.VerifyAsync(null, token)).FirstBad);
    }
}
