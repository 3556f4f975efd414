using System.Threading.Channels;
using Drella.Core.Journal;

namespace Drella.Core.Agents;

/// <summary>What a run of an agent needs from its surroundings.</summary>
public sealed record AgentRunPorts
{
    /// <summary>Takes standard output byte for byte, before anything looks at it. Flushed at the end, not disposed.</summary>
    public required IBlobWriter Transcript { get; init; }

    /// <summary>Takes the events in order, one at a time. While it waits the agent is slowed, and the idle watchdog does not count.</summary>
    public required Func<AgentEvent, ValueTask> OnEvent { get; init; }

    /// <summary>Messages and interrupts for the agent; completing it is not a signal.</summary>
    public required ChannelReader<AgentControl> Control { get; init; }

    /// <summary>Time of the last sign of life at the model door; null when there was none.</summary>
    public required Func<DateTimeOffset?> LastModelActivity { get; init; }

    public required TimeProvider Time { get; init; }

    public required AgentRunLimits Limits { get; init; }
}

/// <summary>Bounds of one run.</summary>
public sealed record AgentRunLimits
{
    /// <summary>Longest time from start to end.</summary>
    public required TimeSpan Deadline { get; init; }

    /// <summary>Longest time with neither output nor model traffic.</summary>
    public required TimeSpan IdleTimeout { get; init; }

    /// <summary>Time given to each of: obeying an interrupt, leaving after the last turn, ending when asked to.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest line that is understood, in bytes; longer ones are kept raw only.</summary>
    public int MaxLine { get; init; } = 16 << 20;

    /// <summary>Most events passed on in one second; what is above is counted and kept raw only.</summary>
    public int MaxEventsPerSecond { get; init; } = 2000;
}

/// <summary>Something to tell a running agent.</summary>
public abstract record AgentControl
{
    private AgentControl()
    {
    }

    /// <summary>A message for its running turn. Dropped when the agent cannot be told; one that was taken comes back as <see cref="AgentEvent.InputTaken"/>.</summary>
    /// <param name="Message">What it is told.</param>
    /// <param name="IsOfOneRun">True when it means nothing to a later run: it is forgotten with the run that did not hear it.</param>
    public sealed record Steer(string Message, bool IsOfOneRun = false) : AgentControl;

    /// <summary>End the turn; the session can be resumed.</summary>
    public sealed record Interrupt : AgentControl;
}
