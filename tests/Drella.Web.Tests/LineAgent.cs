using System.Text;
using System.Text.Json;
using Drella.Core.Agents;
using Drella.Core.Sandboxes;

namespace Drella.Web.Tests;

/// <summary>An agent whose output is already in the factory's words: one event as JSON a line.</summary>
internal sealed class LineAgent : IAgentAdapter
{
    public string Id => "line";

    public AgentCapabilities Capabilities { get; } = new(Steer: true, Interrupt: false, Resume: false);

    public LaunchPlan Plan(AgentOrder order) => throw new NotSupportedException("Nothing is started here.");

    public IAgentStream OpenStream() => new Lines();

    public GuestCommand? SessionProbe(string sessionId, string home) => null;

    public string? SteerLine(string text) => null;

    public string? InterruptLine() => null;

    private sealed class Lines : IAgentStream
    {
        public bool IsFinished => false;

        public IReadOnlyList<AgentEvent> Read(ReadOnlySpan<byte> line)
        {
            var text = Encoding.UTF8.GetString(line);
            try
            {
                return [AgentEventJson.Read(text)];
            }
            catch (JsonException)
            {
                return [new AgentEvent.Unparsed(text)];
            }
        }

        public AgentResult Finish(GuestExit exit, string errorTail) => throw new NotSupportedException("Nothing is started here.");
    }
}
