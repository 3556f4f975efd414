using System.Text.Json;
using Drella.Core.Agents;

namespace Drella.Drivers.Agents.ClaudeCode;

/// <summary>Claude Code, headless: orders and steering as stream-json on standard input, events as stream-json on standard output.</summary>
public sealed class ClaudeCodeAdapter : IAgentAdapter
{
    public string Id => ClaudeCodeRelease.AgentId;

    public AgentCapabilities Capabilities { get; } = new(Steer: true, Interrupt: true, Resume: true);

    public LaunchPlan Plan(AgentOrder order) => ClaudeCodeLaunch.Plan(order);

    public IAgentStream OpenStream() => new ClaudeStream();

    public string SteerLine(string text) => UserLine(text);

    public string InterruptLine() => """{"type":"control_request","request_id":"drella-interrupt","request":{"subtype":"interrupt"}}""";

    internal static string UserLine(string text) =>
        JsonSerializer.Serialize(new { type = "user", message = new { role = "user", content = text } });
}
