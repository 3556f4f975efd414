namespace Drella.Core.Agents;

/// <summary>
/// One thing that an agent did, in the factory's words whatever the agent. Closed hierarchy; the wire shape is in
/// <c>docs/formats/transcript.md</c>. Everything in it was said by the guest: it is evidence of what was claimed, not of what is so.
/// </summary>
public abstract record AgentEvent
{
    private AgentEvent()
    {
    }

    /// <summary>The session came up: what it says of itself. A tool server that is not connected is a failed start.</summary>
    public sealed record Session(string Id, string Model, string Version, IReadOnlyList<ToolServerState> ToolServers) : AgentEvent;

    public sealed record Said(string Content, string? Subagent) : AgentEvent;

    public sealed record Thought(string Content, string? Subagent) : AgentEvent;

    /// <param name="CallId">Ties the result to the call.</param>
    /// <param name="Tool">The agent's name of the tool.</param>
    /// <param name="Input">JSON text as given.</param>
    public sealed record ToolCall(string CallId, string Tool, string Input, string? Subagent) : AgentEvent;

    public sealed record ToolResult(string CallId, bool Ok, string Output) : AgentEvent;

    public sealed record Permission(string CallId, string Tool, string Reason) : AgentEvent;

    /// <summary>Usage as the agent reports it: for display; billing is the gateway's.</summary>
    public sealed record Usage(string Model, long Input, long Output, long CacheRead, long CacheWrite) : AgentEvent;

    public sealed record Retry(int Attempt, TimeSpan Delay, int? Status) : AgentEvent;

    public sealed record Compaction(string Trigger) : AgentEvent;

    /// <summary>The agent took a message that we sent.</summary>
    public sealed record InputTaken(string Content) : AgentEvent;

    public sealed record Error(string Class, int? Status, string Message) : AgentEvent;

    /// <summary>A turn ended.</summary>
    public sealed record TurnEnded(bool IsError, string Reason, string Summary) : AgentEvent;

    /// <summary>Something that has no meaning for us; kept for people.</summary>
    public sealed record Notice(string Kind) : AgentEvent;

    /// <summary>A line that is not what the agent's format promises.</summary>
    public sealed record Unparsed(string Start) : AgentEvent;
}

public sealed record ToolServerState(string Name, string Status);
