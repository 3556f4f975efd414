using Drella.Core.Sandboxes;

namespace Drella.Core.Agents;

/// <summary>
/// How one coding agent is started without a person, resumed, bounded and understood. Stateless and thread-safe.
/// </summary>
public interface IAgentAdapter
{
    /// <summary>Stable id, as written in specs: <c>claude-code</c>, <c>stub</c>.</summary>
    string Id { get; }

    AgentCapabilities Capabilities { get; }

    /// <summary>What to write, run and send to let the agent work on an order.</summary>
    LaunchPlan Plan(AgentOrder order);

    /// <summary>A parser for one run's output; not shared between runs.</summary>
    IAgentStream OpenStream();

    /// <summary>The command that exits 0 inside when the session can be resumed there; null when the agent cannot resume.</summary>
    GuestCommand? SessionProbe(string sessionId, string home);

    /// <summary>The line for standard input that says something to the agent while it works; null when it cannot be told.</summary>
    string? SteerLine(string text);

    /// <summary>The line for standard input that ends the turn and leaves the session usable; null when it cannot.</summary>
    string? InterruptLine();
}

/// <summary>What an agent can do by itself. What it cannot, the factory does around it.</summary>
public sealed record AgentCapabilities(bool Steer, bool Interrupt, bool Resume);

/// <summary>One piece of work for an agent.</summary>
public sealed record AgentOrder
{
    /// <summary>Session id, chosen by us (UUID).</summary>
    public required string SessionId { get; init; }

    /// <summary>True to go on with that session, whose files are in the home folder.</summary>
    public required bool Resume { get; init; }

    /// <summary>What is asked of it now.</summary>
    public required string Prompt { get; init; }

    /// <summary>What the role and the factory say, added to the agent's own system prompt.</summary>
    public required string SystemPrompt { get; init; }

    public required string Model { get; init; }

    public string? Effort { get; init; }

    /// <summary>Model endpoint as seen from inside, such as <c>http://127.0.0.1:18001</c>.</summary>
    public required string ModelUrl { get; init; }

    /// <summary>Tool endpoint as seen from inside, such as <c>http://127.0.0.1:18003/mcp</c>.</summary>
    public required string ToolUrl { get; init; }

    /// <summary>Egress proxy as seen from inside.</summary>
    public required string ProxyUrl { get; init; }

    /// <summary>The sandbox's own token. Worth nothing outside it.</summary>
    public required string Token { get; init; }

    /// <summary>False takes the editing tools away.</summary>
    public required bool MayEdit { get; init; }

    public required string Home { get; init; }

    public required string Workspace { get; init; }

    /// <summary>Folder inside that holds the agent's program.</summary>
    public required string AgentFolder { get; init; }
}

/// <summary>What it takes to run the order.</summary>
public sealed record LaunchPlan
{
    /// <summary>Files to write inside first: absolute path and text.</summary>
    public required IReadOnlyList<KeyValuePair<string, string>> Files { get; init; }

    public required GuestCommand Command { get; init; }

    /// <summary>Lines for standard input at the start.</summary>
    public required IReadOnlyList<string> FirstInput { get; init; }
}

/// <summary>Understands an agent's output, line by line. Never throws on content.</summary>
public interface IAgentStream
{
    /// <summary>Turns one line (without its end) into zero or more events.</summary>
    IReadOnlyList<AgentEvent> Read(ReadOnlySpan<byte> line);

    /// <summary>True when the agent has said that the turn is over and no order is left to it.</summary>
    bool IsFinished { get; }

    /// <summary>Says how it ended. An exit without a terminal event is never <see cref="AgentOutcome.Completed"/>.</summary>
    AgentResult Finish(GuestExit exit, string errorTail);
}

/// <summary>How a run of an agent ended.</summary>
public enum AgentOutcome
{
    Completed,
    MaxTurns,
    BudgetExhausted,
    RateLimited,
    AuthFailed,
    ModelError,
    PromptTooLong,
    Refused,
    Interrupted,
    TimedOut,
    Killed,
    Crashed,
    NoResult,
}

/// <param name="Outcome">The decision about how it ended.</param>
/// <param name="Text">The agent's last words, for people; never parsed.</param>
/// <param name="Detail">What led to the outcome: terminal reason, error class, exit code.</param>
public sealed record AgentResult(AgentOutcome Outcome, string Text, string Detail);
