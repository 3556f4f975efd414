using System.Text;
using Drella.Core.Agents;
using Drella.Core.Sandboxes;

namespace Drella.Testing.Fakes;

/// <summary>
/// The adapter of an agent whose program is played by a test. Its output: any line is something said; <c>end OUTCOME</c> is its last word.
/// </summary>
public sealed class FakeAgent : IAgentAdapter
{
    public const string AgentId = "fake";

    public string Id => AgentId;

    public AgentCapabilities Capabilities { get; } = new(Steer: false, Interrupt: false, Resume: true);

    public LaunchPlan Plan(AgentOrder order) => new()
    {
        Files = [],
        Command = new GuestCommand
        {
            Command = ["agent", order.SessionId],
            Environment = new Dictionary<string, string>
            {
                ["TOKEN"] = order.Token, ["PROMPT"] = order.Prompt, ["EDIT"] = order.MayEdit ? "1" : "", ["RESUME"] = order.Resume ? "1" : "",
            },
        },
        FirstInput = [],
    };

    public IAgentStream OpenStream() => new AgentStream();

    public GuestCommand? SessionProbe(string sessionId, string home) => new() { Command = ["session", sessionId] };

    public string? SteerLine(string text) => null;

    public string? InterruptLine() => null;

    private sealed class AgentStream : IAgentStream
    {
        private AgentOutcome? last;

        public bool IsFinished => last is not null;

        public IReadOnlyList<AgentEvent> Read(ReadOnlySpan<byte> line)
        {
            var text = Encoding.UTF8.GetString(line);
            last = text.StartsWith("end ", StringComparison.Ordinal) ? Enum.Parse<AgentOutcome>(text[4..]) : last;
            return [new AgentEvent.Said(text, null)];
        }

        public AgentResult Finish(GuestExit exit, string errorTail) => last is { } outcome
            ? new AgentResult(outcome, "", $"said so, exit {exit.Code}")
            : new AgentResult(exit.Signal is null ? AgentOutcome.Crashed : AgentOutcome.Killed, "", $"exit {exit.Code}, signal {exit.Signal}");
    }
}
