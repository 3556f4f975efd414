using System.Threading.Channels;
using Drella.Core.Agents;
using Drella.Core.Journal;
using Drella.Testing;
using Drella.Testing.Fakes;

namespace Drella.Core.Tests.Agents;

public sealed class IdleWatchTests
{
    private static readonly TimeSpan Idle = TimeSpan.FromMinutes(10);
    private readonly FakeTime time = new();
    private DateTimeOffset? model;
    private int fired;

    [Fact]
    public async Task Watch_FiresOnceWhenNothingComes()
    {
        await using var watch = await WatchAsync();

        time.Advance(Idle - TimeSpan.FromSeconds(1));
        Assert.Equal(0, fired);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, fired);
        time.Advance(Idle * 3);
        Assert.Equal(1, fired);
    }

    [Fact]
    public async Task Watch_IsFedByOutput()
    {
        await using var watch = await WatchAsync();
        for (var i = 0; i < 5; i++)
        {
            time.Advance(Idle - TimeSpan.FromSeconds(1));
            watch.Output(busy: true);
            watch.Output(busy: false);
        }

        Assert.Equal(0, fired);
        time.Advance(Idle);
        Assert.Equal(1, fired);
    }

    [Fact]
    public async Task Watch_IsFedByTheModelButNotByAClockAhead()
    {
        await using var watch = await WatchAsync();
        time.Advance(Idle - TimeSpan.FromSeconds(1));
        model = time.GetUtcNow();
        time.Advance(Idle - TimeSpan.FromSeconds(1));
        Assert.Equal(0, fired);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, fired);
    }

    [Fact]
    public async Task Watch_TakesAModelTimeOfTheFutureForNow()
    {
        await using var watch = await WatchAsync();
        time.Advance(Idle - TimeSpan.FromSeconds(1));
        model = time.GetUtcNow() + TimeSpan.FromDays(1);
        time.Advance(TimeSpan.FromSeconds(1));
        model = null;

        time.Advance(Idle);

        Assert.Equal(1, fired);
    }

    [Fact]
    public async Task Watch_DoesNotCountWhileWeHoldTheOutputUp()
    {
        await using var watch = await WatchAsync();
        watch.Output(busy: true);

        time.Advance(Idle * 5);
        Assert.Equal(0, fired);

        watch.Output(busy: false);
        time.Advance(Idle * 2);
        Assert.Equal(1, fired);
    }

    [Fact]
    public async Task Watch_IsSilentWhenDisposed()
    {
        await (await WatchAsync()).DisposeAsync();

        time.Advance(Idle * 2);

        Assert.Equal(0, fired);
        Assert.Equal(0, time.PendingTimers);
    }

    private async Task<IdleWatch> WatchAsync() => new(
        new AgentRunPorts
        {
            Transcript = await new MemoryBlobStore().AppendAsync(new BlobId("t"), CancellationToken.None),
            OnEvent = _ => ValueTask.CompletedTask,
            Control = Channel.CreateUnbounded<AgentControl>().Reader,
            LastModelActivity = () => model,
            Time = time,
            Limits = new AgentRunLimits { Deadline = TimeSpan.FromHours(1), IdleTimeout = Idle },
        },
        () => fired++);
}
