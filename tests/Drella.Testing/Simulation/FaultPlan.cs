using Drella.Core.Journal;
using Drella.Testing.Fakes;

namespace Drella.Testing.Simulation;

/// <summary>What goes wrong in one simulation, and how often; drawn from its seed. After <see cref="Calm"/> nothing goes wrong any more.</summary>
public sealed class FaultPlan
{
    public static readonly TimeSpan Calm = TimeSpan.FromHours(4);

    private readonly Random random;
    private readonly TimeProvider time;
    private readonly DateTimeOffset begin;
    private readonly double callFails;
    private readonly double callKills;
    private readonly double entryKills;
    private readonly IReadOnlyList<(TimeSpan From, TimeSpan To)> outages;
    private readonly IReadOnlyList<(TimeSpan From, TimeSpan To)> fullDisks;

    public FaultPlan(Random random, TimeProvider time)
    {
        (this.random, this.time, begin) = (random, time, time.GetUtcNow());
        callFails = OneOf(0, 0.01, 0.04);
        callKills = OneOf(0, 0.0005, 0.002);
        entryKills = OneOf(0, 0.001, 0.004);
        outages = Windows(random.Next(3), TimeSpan.FromMinutes(20));
        fullDisks = Windows(random.Next(2), TimeSpan.FromMinutes(3));
        AgentTrouble = OneOf(0, 0.15, 0.35);
        WebhookLoss = OneOf(0, 0.3, 1);
        Slowness = OneOf(50, 400, 3000);
        Restarts = Moments(random.Next(3));
        SandboxDeaths = Moments(random.Next(4));
    }

    public double AgentTrouble { get; }

    public double WebhookLoss { get; }

    /// <summary>Longest time of a call, milliseconds.</summary>
    public double Slowness { get; }

    public IReadOnlyList<TimeSpan> Restarts { get; }

    public IReadOnlyList<TimeSpan> SandboxDeaths { get; }

    public TimeSpan Now => time.GetUtcNow() - begin;

    public bool IsCalm => Now >= Calm;

    public PortFate FateOf(PortCall call)
    {
        if (IsCalm)
        {
            return PortFate.Answered;
        }

        if (call.Port == "forge" && outages.Any(IsIn))
        {
            return PortFate.FailsBefore;
        }

        var roll = random.NextDouble();
        return roll < callKills ? Either(PortFate.DiesBefore, PortFate.DiesAfter)
            : roll < callKills + callFails ? Either(PortFate.FailsBefore, PortFate.FailsAfter)
            : PortFate.Answered;
    }

    public AppendFate FateOf(StreamId stream, NewEntry entry) =>
        IsCalm ? AppendFate.Kept
        : fullDisks.Any(IsIn) ? AppendFate.DiskFull
        : random.NextDouble() < entryKills ? Either(AppendFate.CrashBefore, AppendFate.CrashAfter)
        : AppendFate.Kept;

    public TimeSpan LatencyOf(PortCall call) => TimeSpan.FromMilliseconds(1 + (random.NextDouble() * Slowness));

    private bool IsIn((TimeSpan From, TimeSpan To) window) => Now >= window.From && Now < window.To;

    private T Either<T>(T one, T other) => random.Next(2) == 0 ? one : other;

    private double OneOf(params double[] values) => values[random.Next(values.Length)];

    private TimeSpan Moment() => random.NextDouble() * Calm;

    private List<TimeSpan> Moments(int count) => [.. Enumerable.Range(0, count).Select(_ => Moment())];

    private List<(TimeSpan From, TimeSpan To)> Windows(int count, TimeSpan longest) =>
        [.. Moments(count).Select(from => (from, from + (random.NextDouble() * longest)))];
}
