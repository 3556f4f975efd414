using Drella.Core.Jobs;

namespace Drella.Core.Sandboxes;

/// <summary>Lets a person look into a job's sandbox. That they did is in the journal before they are in.</summary>
public sealed class Visits
{
    private readonly Floor floor;
    private readonly ISandboxHost sandboxes;

    internal Visits(Floor floor, ISandboxHost sandboxes)
    {
        this.floor = floor;
        this.sandboxes = sandboxes;
    }

    /// <summary>Has the sandbox running, a stopped one started with doors that admit nobody. Null when the job has none.</summary>
    public async Task<Visit?> BeginAsync(LiveJob live, string by, string? command, CancellationToken cancellationToken)
    {
        if (await FindAsync(live.Job, cancellationToken) is not { } state)
        {
            return null;
        }

        await live.RecordAsync(new JobEntry.SandboxEntered(state.Name.Value, by, command), cancellationToken);
        if (!state.IsRunning)
        {
            await floor.EnsureAsync(live.Job, isRestart: false, cancellationToken);
        }

        return new Visit(state.Name, live.Job.SandboxProvider ?? "", WasWoken: !state.IsRunning);
    }

    /// <summary>Stops a sandbox that was started for a visit, unless the job has gone back to work in it.</summary>
    public async Task EndAsync(LiveJob live, CancellationToken cancellationToken)
    {
        if (live.Job.Step is null && await FindAsync(live.Job, cancellationToken) is { IsRunning: true })
        {
            await floor.StopAsync(live.Job, cancellationToken);
        }
    }

    /// <summary>The sandbox that holds the job's work; null when there is none.</summary>
    public async Task<SandboxState?> FindAsync(Job job, CancellationToken cancellationToken) => job is { Sandbox: not null, IsReleased: false }
        ? (await sandboxes.ListAsync(cancellationToken)).FirstOrDefault(state => state.Name == Floor.NameOf(job))
        : null;
}

/// <param name="Sandbox">Where to look.</param>
/// <param name="Provider">Who made it.</param>
/// <param name="WasWoken">It was stopped before, and is to be stopped again.</param>
public sealed record Visit(SandboxName Sandbox, string Provider, bool WasWoken);
