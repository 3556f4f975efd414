using Drella.Core.Sandboxes;
using Drella.Gateway.Models;
using Drella.Testing;

namespace Drella.Gateway.Tests.Models;

public sealed class RateGateTests
{
    private static readonly SandboxName One = new("j000000000001-1");
    private static readonly SandboxName Two = new("j000000000002-1");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Pause_HoldsEveryJobAlsoThoseThatStoodInLine()
    {
        var time = new FakeTime();
        var gate = new RateGate(1, time);
        await gate.EnterAsync(One, Stop);
        var inLine = gate.EnterAsync(Two, Stop);

        gate.Pause(TimeSpan.FromSeconds(10));
        gate.Leave();
        var late = gate.EnterAsync(One, Stop);
        await time.UntilTimersAsync(2, Stop);

        Assert.False(inLine.IsCompleted);
        Assert.False(late.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(10));
        await await Task.WhenAny(inLine, late).WaitAsync(Stop);
        gate.Leave();
        await Task.WhenAll(inLine, late).WaitAsync(Stop);
    }

    [Fact]
    public async Task Turns_GoRoundTheSandboxesAndOneThatGaveUpTakesNoPlace()
    {
        var gate = new RateGate(1, new FakeTime());
        await gate.EnterAsync(One, Stop);
        using var leaves = new CancellationTokenSource();
        var second = gate.EnterAsync(One, leaves.Token);
        var third = gate.EnterAsync(One, Stop);
        var other = gate.EnterAsync(Two, Stop);

        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        gate.Leave();
        await Task.WhenAny(third, other).WaitAsync(Stop);

        Assert.True(other.IsCompleted, "the sandbox that had its turn went again before the other");
        Assert.False(third.IsCompleted);
        gate.Leave();
        await third.WaitAsync(Stop);
    }
}
