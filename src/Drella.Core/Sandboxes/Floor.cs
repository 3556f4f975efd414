using Drella.Core.Jobs;

namespace Drella.Core.Sandboxes;

/// <summary>Has the job's sandbox running behind its doors. The one place that knows how the two belong together.</summary>
internal sealed class Floor(ISandboxHost sandboxes, IGatehouse gatehouse, FactorySettings settings)
{
    public static SandboxName NameOf(Job job) => new($"{job.Id}-{job.Attempt}");

    /// <summary>
    /// Returns the running sandbox. With <paramref name="isRestart"/> whatever still runs in it is ended first: a process that a
    /// dead daemon left behind has lost its streams and its doors.
    /// </summary>
    public async Task<ISandbox> EnsureAsync(Job job, bool isRestart, CancellationToken cancellationToken)
    {
        var name = NameOf(job);
        if (isRestart)
        {
            await sandboxes.StopAsync(name, cancellationToken);
        }

        var doors = await gatehouse.OpenAsync(name, cancellationToken);
        return await sandboxes.EnsureRunningAsync(
            new SandboxRequest
            {
                Name = name,
                Limits = settings.Limits,
                Agents = [.. job.Request.Pipeline.Select(role => role.Agent).Distinct()],
                Doorways =
                [
                    new Doorway(Doors.ModelPort, doors.ModelSocket),
                    new Doorway(Doors.EgressPort, doors.EgressSocket),
                    new Doorway(Doors.ToolPort, doors.ToolSocket),
                ],
            },
            cancellationToken);
    }

    /// <summary>Stops it and keeps the disk.</summary>
    public async Task StopAsync(Job job, CancellationToken cancellationToken)
    {
        gatehouse.Dismiss(NameOf(job));
        await sandboxes.StopAsync(NameOf(job), cancellationToken);
        await gatehouse.CloseAsync(NameOf(job), cancellationToken);
    }

    public async Task DestroyAsync(Job job, CancellationToken cancellationToken)
    {
        gatehouse.Dismiss(NameOf(job));
        await sandboxes.DestroyAsync(NameOf(job), cancellationToken);
        await gatehouse.CloseAsync(NameOf(job), cancellationToken);
    }
}
