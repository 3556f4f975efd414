using Gjoll.Hosts;

namespace Gjoll.Bubblewrap;

/// <summary>
/// Ends sandboxes. With process 1 of its PID namespace the kernel kills every process of the guest, whatever sessions or groups they made; what is left
/// is on our side of the wall and carries the mark.
/// </summary>
internal sealed class Ender(SandboxFolders folders, TimeProvider time)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public async Task AskToEndAsync(RunRecord run, TimeSpan grace, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var asked = new HashSet<ProcessIdentity>();
        while (ProcessTable.IsAlive(run.Init))
        {
            var others = ProcessTable.InPidNamespace(run.PidNamespace).Except(run.Residents).Where(process => process != run.Init).ToList();
            if (others.Count == 0 || time.GetElapsedTime(started) >= grace)
            {
                return;
            }

            foreach (var process in others.Where(asked.Add))
            {
                ProcessTable.SignalTerminate(process);
            }

            await Task.Delay(Poll, time, cancellationToken);
        }
    }

    /// <summary>Returns when no process of the sandbox is left and its cgroups are removed. Nothing there is success.</summary>
    public async Task EndAllAsync(SandboxName name, SandboxRecord? record, CancellationToken cancellationToken)
    {
        if (record is null or { WasStarted: true })
        {
            await EndProcessesAsync(folders.Marker(name), record?.Run, cancellationToken);
        }

        await RemoveCgroupsAsync(record?.Cgroups ?? [], cancellationToken);
    }

    public async Task EndProcessesAsync(string marker, RunRecord? run, CancellationToken cancellationToken)
    {
        if (run is not null)
        {
            ProcessTable.SignalKill(run.Init);
        }

        var started = time.GetTimestamp();
        while (true)
        {
            var left = Find(marker, run);
            if (left.Count == 0)
            {
                return;
            }

            if (time.GetElapsedTime(started) > Patience)
            {
                throw new GjollException($"Processes {string.Join(", ", left.Select(process => process.Id))} of {marker} do not end.", isTransient: true);
            }

            foreach (var process in left)
            {
                ProcessTable.SignalKill(process);
            }

            await Task.Delay(Poll, time, cancellationToken);
        }
    }

    public async Task RemoveCgroupsAsync(IReadOnlyList<string> groups, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (!Cgroups.TryRemove(groups))
        {
            if (time.GetElapsedTime(started) > Patience)
            {
                throw new GjollException($"The cgroups {string.Join(", ", groups)} cannot be removed.", isTransient: true);
            }

            foreach (var process in groups.SelectMany(Cgroups.Members).Distinct().Select(ProcessTable.Identify).OfType<ProcessIdentity>())
            {
                ProcessTable.SignalKill(process);
            }

            await Task.Delay(Poll, time, cancellationToken);
        }
    }

    private static HashSet<ProcessIdentity> Find(string marker, RunRecord? run)
    {
        // Process 1 counts as alive until the kernel has ended the last process of its namespace. It goes alone first, so that whoever waits for a program
        // of the guest sees that the sandbox ended, and not a kill of the program alone.
        return run is not null && ProcessTable.IsAlive(run.Init)
            ? [run.Init]
            : [.. Marking.Marked().Where(process => process.Marker == marker).Select(process => process.Process)];
    }
}
