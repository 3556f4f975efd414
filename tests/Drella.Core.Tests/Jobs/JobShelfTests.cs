using Drella.Core.Jobs;
using Drella.Core.Journal;
using Drella.Testing;
using Drella.Testing.Fakes;

namespace Drella.Core.Tests.Jobs;

public sealed class JobShelfTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Load_FoldsEachStreamIntoTheJobThatItWas()
    {
        var time = new FakeTime();
        var journal = new MemoryJournal(time);
        using var before = new JobShelf(journal, time);
        for (var number = 0; number < 200; number++)
        {
            time.Advance(TimeSpan.FromMilliseconds(1));
            var live = await before.OpenAsync(Request(number, "Do it well."), Token);
            await live.TellAsync(new JobFact.Admit(), Token);
            for (var calls = 0; calls < number % 7; calls++)
            {
                await live.RecordAsync(new JobEntry.ProgressReported($"{number}: {calls}", calls), Token);
            }
        }

        using var after = new JobShelf(journal, time);
        await after.LoadAsync(Token);

        Assert.Equal(200, after.All.Count);
        Assert.Equal(before.All.Select(live => live.Job.Id), after.All.Select(live => live.Job.Id));
        Assert.All(before.All, live =>
        {
            var loaded = after.Find(live.Job.Id)!.Job;
            Assert.Equal((live.Job.Sequence, live.Job.ChangedAt, live.Job.Phase, live.Job.Progress), (loaded.Sequence, loaded.ChangedAt, loaded.Phase, loaded.Progress));
            Assert.Equal(live.Job.Request.Title, loaded.Request.Title);
        });
    }

    [Fact]
    public async Task Load_SharesRolesThatAreEqualAndNoOthers()
    {
        var journal = new MemoryJournal(TimeProvider.System);
        using var before = new JobShelf(journal, TimeProvider.System);
        var (first, same, other) = (Request(1, "Do it well."), Request(2, "Do it well."), Request(3, "Do it better."));
        var tools = Request(4, "Do it well.") with { Pipeline = [Role("Do it well.") with { Tools = ["open_pr", "get_pr"] }] };
        foreach (var request in new[] { first, same, other, tools })
        {
            await before.OpenAsync(request, Token);
        }

        using var after = new JobShelf(journal, TimeProvider.System);
        await after.LoadAsync(Token);

        var pipeline = PipelineOf(first);
        Assert.Same(pipeline, PipelineOf(same));
        Assert.Equal("Do it better.", Assert.Single(PipelineOf(other)).Prompt);
        Assert.Equal(["open_pr", "get_pr"], Assert.Single(PipelineOf(tools)).Tools);

        IReadOnlyList<RoleSnapshot> PipelineOf(JobRequest request) => after.Find(request.Source.Job)!.Job.Request.Pipeline;
    }

    [Fact]
    public async Task Load_RefusesAStreamThatDoesNotBeginWithAnOpening()
    {
        var journal = new MemoryJournal(TimeProvider.System);
        await journal.AppendAsync(new StreamId("job/j0123456789ab"), 0, [JobEntryCodec.Encode(new JobEntry.Admitted(1))], Token);
        using var shelf = new JobShelf(journal, TimeProvider.System);

        var error = await Assert.ThrowsAsync<InvalidDataException>(() => shelf.LoadAsync(Token));

        Assert.Contains("job/j0123456789ab", error.Message, StringComparison.Ordinal);
    }

    private static JobRequest Request(int number, string prompt) => new()
    {
        Source = new SourceRef("builtin", "factory/tasks", SourceKind.Spec, $"spec-{number}", "abc", null, "ada", null, null),
        Title = $"Spec {number}",
        Text = "Greet.",
        AcceptanceCriteria = [],
        Repo = "factory/greeter",
        Base = "main",
        Pipeline = [Role(prompt)],
        Profile = "default",
        AllowedHosts = [],
        Priority = 0,
        Budget = 1,
        WorkTimeout = TimeSpan.FromHours(1),
        MaxRounds = 1,
    };

    private static RoleSnapshot Role(string prompt) =>
        new() { Name = "producer", Agent = "stub", Model = "m", Tools = ["open_pr"], MayEdit = true, Prompt = prompt };
}
