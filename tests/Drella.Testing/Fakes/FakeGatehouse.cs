using Drella.Core;
using Drella.Core.Budgets;
using Drella.Core.Jobs;
using Drella.Core.Sandboxes;
using Drella.Core.Tools;

namespace Drella.Testing.Fakes;

/// <summary>
/// The doors as one life of the daemon keeps them. What a guest asks for goes to the real desk and the real ledger, as long as its token holds;
/// with the daemon dead or the token gone the door is shut.
/// </summary>
/// <param name="desk">Judges tool calls.</param>
/// <param name="ledger">Holds the money.</param>
/// <param name="time">The clock of the world: a call outlives the daemon.</param>
/// <param name="life">Whose doors they are.</param>
/// <param name="number">Which life it is, from 1: no token comes twice.</param>
public sealed class FakeGatehouse(IToolDesk desk, IModelLedger ledger, TimeProvider time, Life life, int number) : IGatehouse
{
    private readonly Dictionary<SandboxName, (string Token, Assignment Assignment)> admitted = [];
    private readonly Dictionary<SandboxName, DateTimeOffset> activity = [];
    private readonly HashSet<SandboxName> open = [];
    private int tokens;

    /// <summary>What the provider charges: job and amount. Every call that reached it counts, whatever became of the daemon.</summary>
    public event Action<JobId, long>? Charged;

    public Task<Doors> OpenAsync(SandboxName sandbox, CancellationToken cancellationToken)
    {
        open.Add(sandbox);
        return Task.FromResult(new Doors($"/doors/{sandbox}/m", $"/doors/{sandbox}/e", $"/doors/{sandbox}/t"));
    }

    public string Admit(SandboxName sandbox, Assignment assignment, EgressPolicy egress, ModelPolicy model)
    {
        var token = $"token-{number}-{++tokens}";
        admitted[sandbox] = (token, assignment);
        return token;
    }

    public void Dismiss(SandboxName sandbox) => admitted.Remove(sandbox);

    public DateTimeOffset? LastModelActivity(SandboxName sandbox) => activity.TryGetValue(sandbox, out var at) ? at : null;

    public Task CloseAsync(SandboxName sandbox, CancellationToken cancellationToken)
    {
        Dismiss(sandbox);
        open.Remove(sandbox);
        return Task.CompletedTask;
    }

    /// <summary>A model call from inside: reserve, answer after a while, settle. False when it was refused or cut.</summary>
    public async Task<bool> CallModelAsync(SandboxName sandbox, string token, ModelCall call, long cost, TimeSpan latency)
    {
        if (WhoCalls(sandbox, token) is not { } caller)
        {
            return false;
        }

        activity[sandbox] = time.GetUtcNow();
        try
        {
            if (await ledger.ReserveAsync(caller, call, CancellationToken.None) is not Reservation.Granted)
            {
                return false;
            }

            Charged?.Invoke(caller.Job, cost);
            await Task.Delay(latency, time);
            if (life.IsOver)
            {
                return false;
            }

            activity[sandbox] = time.GetUtcNow();
            await ledger.SettleAsync(caller, call.CallId, new ModelUsage(call.Model, 1, 1, 0, 0, cost, 200), CancellationToken.None);
        }
        catch (DriverException)
        {
            // A door that cannot write its decision down does not open.
            return false;
        }

        return WhoCalls(sandbox, token) is not null;
    }

    /// <summary>A tool call from inside; null when the door is shut, or cannot write down what it decided.</summary>
    public async Task<ToolAnswer?> CallToolAsync(SandboxName sandbox, string token, ToolCall call)
    {
        try
        {
            return WhoCalls(sandbox, token) is { } caller ? await desk.CallAsync(caller, call, CancellationToken.None) : null;
        }
        catch (DriverException)
        {
            return null;
        }
    }

    private Assignment? WhoCalls(SandboxName sandbox, string token) =>
        !life.IsOver && open.Contains(sandbox) && admitted.TryGetValue(sandbox, out var who) && who.Token == token ? who.Assignment : null;
}
