using System.Text;
using Drella.Core.Sandboxes;

namespace Drella.Core.Agents;

/// <summary>
/// Supervises one run of an agent in a sandbox: writes its files, feeds it, keeps every byte it says, passes its events on, and sees to it that it ends.
/// </summary>
public static class AgentRun
{
    /// <summary>
    /// Runs the order to its end. Cancellation winds the agent down (interrupt, terminate, kill, each with its grace) and returns
    /// <see cref="AgentOutcome.Interrupted"/>; only before the start does it throw. Errors of the sandbox, the transcript and the event handler fly,
    /// and the agent's process is gone when they do.
    /// </summary>
    public static async Task<AgentResult> RunAsync(
        ISandbox sandbox, IAgentAdapter adapter, AgentOrder order, AgentRunPorts ports, CancellationToken cancellationToken)
    {
        var plan = adapter.Plan(order);
        foreach (var (path, text) in plan.Files)
        {
            using var content = new MemoryStream(Encoding.UTF8.GetBytes(text));
            await sandbox.WriteFileAsync(path, content, cancellationToken);
        }

        await using var process = await sandbox.StartAsync(plan.Command, cancellationToken);
        await using var supervised = new SupervisedAgent(process, adapter, plan, ports);
        return await supervised.RunAsync(cancellationToken);
    }
}
