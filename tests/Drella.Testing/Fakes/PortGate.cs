using Drella.Core;

namespace Drella.Testing.Fakes;

/// <summary>One call on its way through a <see cref="PortGate"/>: the port, such as <c>forge</c>, its method, and whether it changes something.</summary>
public sealed record PortCall(string Port, string Method, bool IsWrite)
{
    public override string ToString() => $"{Port}.{Method}";
}

/// <summary>Stands before the fakes of one life of the daemon: takes time, and lets calls fail or the daemon die at chosen ones.</summary>
public sealed class PortGate(Life life)
{
    /// <summary>Decides the fate of each call, in the order in which they are made.</summary>
    public Func<PortCall, PortFate> Fate { get; set; } = _ => PortFate.Answered;

    /// <summary>How long a call takes before it is done; zero does it at once.</summary>
    public Func<PortCall, TimeSpan> Latency { get; set; } = _ => TimeSpan.Zero;

    public Life Life => life;

    public async Task<T> RunAsync<T>(PortCall call, Func<T> act, CancellationToken cancellationToken)
    {
        if (life.IsOver)
        {
            return await Life.Never<T>();
        }

        cancellationToken.ThrowIfCancellationRequested();
        var latency = Latency(call);
        if (latency > TimeSpan.Zero)
        {
            await Task.Delay(latency, life.Time, cancellationToken);
        }

        var fate = Fate(call);
        switch (fate)
        {
            case PortFate.FailsBefore:
                throw new DriverException(true, $"{call} was not reached");
            case PortFate.Refused:
                throw new DriverException(false, $"{call} was refused") { Failure = DriverFailure.Invalid };
            case PortFate.DiesBefore:
                life.End();
                return await Life.Never<T>();
        }

        var result = act();
        switch (fate)
        {
            case PortFate.FailsAfter:
                throw new DriverException(true, $"{call} answered 502");
            case PortFate.DiesAfter:
                life.End();
                return await Life.Never<T>();
            default:
                return result;
        }
    }

    public Task RunAsync(PortCall call, Action act, CancellationToken cancellationToken) => RunAsync(
        call,
        () =>
        {
            act();
            return true;
        },
        cancellationToken);
}
