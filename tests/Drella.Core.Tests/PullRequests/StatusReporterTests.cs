using Drella.Core.Jobs;
using Drella.Core.PullRequests;
using Drella.Testing.Fakes;
using Drella.Testing.Simulation;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drella.Core.Tests.PullRequests;

public sealed class StatusReporterTests
{
    [Fact]
    public async Task Report_TwiceAtOnceLeavesOneComment()
    {
        using var house = new FactoryHouse();
        house.Forge.MergeFiles(FactoryHouse.Tasks, "ann", KeyValuePair.Create("in-progress/it.md", (string?)"---\nversion: 1\nrepo: acme/app\n---\n\n# It\n"));
        house.Start();
        Assert.True(house.RunUntil(() => house.Jobs.Count == 1, TimeSpan.FromMinutes(5)));
        // The same order in a factory of its own, whose forge takes a second for each call.
        house.Forge.Repo(FactoryHouse.Tasks).Remarks.Clear();
        using var shelf = new JobShelf(new MemoryJournal(house.Time), house.Time);
        var live = await shelf.OpenAsync(house.Jobs[0].Job.Request, CancellationToken.None);
        var slow = new PortGate(new Life(house.Time)) { Latency = _ => TimeSpan.FromSeconds(1) };
        var status = new StatusReporter(new FakeForge(house.Forge, slow), house.Settings, NullLogger<StatusReporter>.Instance);
        house.Crash();

        var both = Task.WhenAll(status.ReportAsync(live, CancellationToken.None), status.ReportAsync(live, CancellationToken.None));

        Assert.True(house.RunUntil(() => both.IsCompletedSuccessfully, TimeSpan.FromSeconds(4)));
        Assert.Single(house.Forge.Repo(FactoryHouse.Tasks).Remarks);
    }
}
