using System.Text.Json;
using Drella.Core.Agents;
using Drella.Core.Sandboxes;

namespace Drella.Drivers.Agents.ClaudeCode;

/// <summary>Claude Code, headless: orders and steering as stream-json on standard input, events as stream-json on standard output.</summary>
public sealed class ClaudeCodeAdapter : IAgentAdapter
{
    public string Id => ClaudeCodeRelease.AgentId;

    public AgentCapabilities Capabilities { get; } = new(Steer: true, Interrupt: true, Resume: true);

    public LaunchPlan Plan(AgentOrder order) => ClaudeCodeLaunch.Plan(order);

    public IAgentStream OpenStream() => new ClaudeStream();

    // The session's file is written live, under a folder named after the working folder; the id alone is enough to find it.
    public GuestCommand SessionProbe(string sessionId, string home) => new()
    {
        Command = ["sh", "-c", "find \"$1/.claude/projects\" -name \"$2.jsonl\" -size +0 2>/dev/null | grep -q .", "probe", home, sessionId],
        Environment = new Dictionary<string, string> { ["PATH"] = "/usr/local/bin:/usr/bin:/bin" },
    };

    public string SteerLine(string text) => UserLine(text);

    public string InterruptLine() => """{"type":"control_request","request_id":"drella-interrupt","request":{"subtype":"interrupt"}}""";

    internal static string UserLine(string text) =>
        JsonSerializer.Serialize(new { type = "user", message = new { role = "user", content = text } });
}
