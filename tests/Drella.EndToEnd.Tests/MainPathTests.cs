namespace Drella.EndToEnd.Tests;

public sealed class MainPathTests
{
    [Fact]
    public async Task Spec_BecomesAMergedPullRequestAndMovesToDone()
    {
        var token = TestContext.Current.CancellationToken;
        await using var factory = await FactoryFixture.StartAsync(await File.ReadAllTextAsync(FactoryFixture.Shipped("tape.yaml"), token));

        await MainPath.TellAsync(factory, async job =>
        {
            var state = await factory.Daemon.Core.Visits.FindAsync(job, token);
            Assert.False(state!.IsRunning);
            Assert.Equal(job.Sandbox, state.Name.Value);
        });
    }
}
