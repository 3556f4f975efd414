using Drella.Core.Agents;
using Drella.Core.Sandboxes;
using Drella.Drivers.Agents.ClaudeCode;

namespace Drella.Drivers.Agents.Stub;

/// <summary>
/// The stub agent: plays a script or a recording, and misbehaves on demand. It speaks Claude Code's stream format.
/// The script is <c>docs/formats/stub-agent.md</c>.
/// </summary>
/// <param name="script">JSON of the script that every order gets; null takes one that says a word and completes.</param>
public sealed class StubAgentAdapter(string? script = null) : IAgentAdapter
{
    public const string AgentId = "stub";

    public const string DefaultScript = """
        { "version": 1, "steps": [ { "init": true }, { "awaitInput": true }, { "say": "done" }, { "result": "completed" } ] }
        """;

    public string Id => AgentId;

    public AgentCapabilities Capabilities { get; } = new(Steer: true, Interrupt: true, Resume: false);

    public LaunchPlan Plan(AgentOrder order)
    {
        var file = $"{order.Home}/.drella/stub.json";
        return new LaunchPlan
        {
            Files = [new(file, script ?? DefaultScript)],
            Command = new GuestCommand
            {
                Command = [$"{order.AgentFolder}/drella-stub-agent", "--script", file],
                Environment = new Dictionary<string, string>
                {
                    ["HOME"] = order.Home,
                    ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                    ["ANTHROPIC_BASE_URL"] = order.ModelUrl,
                    ["ANTHROPIC_AUTH_TOKEN"] = order.Token,
                },
                WorkingFolder = order.Workspace,
            },
            FirstInput = [ClaudeCodeAdapter.UserLine(order.Prompt)],
        };
    }

    public IAgentStream OpenStream() => new ClaudeStream();

    public GuestCommand? SessionProbe(string sessionId, string home) => null;

    public string SteerLine(string text) => ClaudeCodeAdapter.UserLine(text);

    public string InterruptLine() => new ClaudeCodeAdapter().InterruptLine();
}
