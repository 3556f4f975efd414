using Drella.Core.Jobs;
using Drella.Testing.Fakes;
using Drella.Testing.Simulation;

namespace Drella.Core.Tests.Steps;

/// <summary>
/// The three loops over the steps of the whole main job: each step failed, each step repeated, the daemon dead at each entry of the journal.
/// They find new steps and new entries by themselves.
/// </summary>
public sealed class StepLoopTests
{
    private static readonly Lazy<string> Undisturbed = new(() =>
    {
        using var story = new Story();
        return story.Tell();
    });

    public static TheoryData<StepName> Steps { get; } = [.. JobPlan.StepOrder];

    [Fact]
    public void Story_EndsMergedWithEachRemarkAnsweredOnce()
    {
        using var story = new Story();

        var outcome = story.Tell();

        story.CheckEnd();
        Assert.StartsWith("Merged\npulls Merged", outcome, StringComparison.Ordinal);
        Assert.Contains("tasks README.md, done/greet.md\nresolved 1", outcome, StringComparison.Ordinal);
        Assert.Equal(3, story.Job.Feedback.Count);
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public void Step_ThatFailsAtAnyOfItsCallsChangesNothingInTheEnd(StepName step)
    {
        foreach (var fate in new[] { PortFate.FailsBefore, PortFate.FailsAfter, PortFate.DiesBefore, PortFate.DiesAfter })
        {
            var wasMet = true;
            for (var nth = 1; wasMet; nth++)
            {
                wasMet = TellWithFate(step, nth, fate);
                Assert.True(wasMet || nth > 1, $"{step} makes no call");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public void Step_ThatCanNeverSucceedEndsTheJobWithAReason(StepName step)
    {
        foreach (var fate in new[] { PortFate.Refused, PortFate.FailsBefore, PortFate.FailsAfter })
        {
            using var story = new Story();
            story.House.Fate = call => story.Step == step && call.IsWrite ? fate : PortFate.Answered;

            story.Tell();

            story.CheckEnd();
        }
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public void Step_ThatIsRepeatedChangesNothingInTheEnd(StepName step)
    {
        var times = 0;
        for (var nth = 1; TellWithCrash(entry => entry is JobEntry.StepSucceeded done && done.Step == step, nth, AppendFate.CrashBefore); nth++)
        {
            times++;
        }

        Assert.True(times > 0, $"{step} is not in the story");
    }

    [Theory]
    [InlineData(AppendFate.CrashBefore)]
    [InlineData(AppendFate.CrashAfter)]
    [InlineData(AppendFate.DiskFull)]
    public void Crash_AtAnyEntryChangesNothingInTheEnd(AppendFate fate)
    {
        var entries = 0;
        while (TellWithCrash(_ => true, entries + 1, fate))
        {
            entries++;
        }

        Assert.True(entries > 100, $"only {entries} entries");
    }

    private static bool TellWithFate(StepName step, int nth, PortFate fate)
    {
        using var story = new Story();
        var left = nth;
        story.House.Fate = _ => story.Step == step && --left == 0 ? fate : PortFate.Answered;
        Check(story, $"{fate} at call {nth} of {step}");
        return left <= 0;
    }

    private static bool TellWithCrash(Func<JobEntry, bool> isMeant, int nth, AppendFate fate)
    {
        using var story = new Story();
        var left = nth;
        story.House.Journal.Fate = (stream, entry) => isMeant(Decode(stream, entry)) && --left == 0 ? fate : AppendFate.Kept;
        Check(story, $"{fate} at entry {nth}");
        return left <= 0;
    }

    private static JobEntry Decode(Core.Journal.StreamId stream, Core.Journal.NewEntry entry) =>
        JobEntryCodec.Decode(new Core.Journal.Entry(stream, 1, default, entry.Kind, entry.Version, entry.Payload, default, default));

    private static void Check(Story story, string what)
    {
        try
        {
            Assert.Equal(Undisturbed.Value, story.Tell());
            story.CheckEnd();
        }
        catch (Xunit.Sdk.XunitException error)
        {
            Assert.Fail($"{what}: {error.Message}");
        }
    }
}
