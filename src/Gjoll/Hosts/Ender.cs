namespace Gjoll.Hosts;

/// <summary>
/// Ends sandboxes. With process 1 of its PID namespace the kernel kills every process of the guest, whatever sessions or groups they made; what is left
/// is on our side of the wall and carries the mark.
/// </summary>
internal sealed class Ender(TimeProvider time)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>SIGTERM to every process of a namespace but its first and <paramref name="residents"/>; returns when none is left or the grace is over.</summary>
    public async Task AskToEndAsync(
        ProcessIdentity first, string pidNamespace, IReadOnlyList<ProcessIdentity> residents, TimeSpan grace, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var asked = new HashSet<ProcessIdentity>();
        while (ProcessTable.IsAlive(first))
        {
            var others = ProcessTable.InPidNamespace(pidNamespace).Except(residents).Where(process => process != first).ToList();
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

    /// <summary>
    /// Returns when no process that carries the mark is left. <paramref name="first"/> is process 1 of a PID namespace: it goes first, and takes along
    /// those of the guest, which carry no mark. Nothing there is success.
    /// </summary>
    public async Task EndProcessesAsync(string marker, ProcessIdentity? first, CancellationToken cancellationToken)
    {
        if (first is not null)
        {
            ProcessTable.SignalKill(first);
        }

        var started = time.GetTimestamp();
        while (true)
        {
            var left = Find(marker, first);
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

    private static HashSet<ProcessIdentity> Find(string marker, ProcessIdentity? first)
    {
        // Process 1 counts as alive until the kernel has ended the last process of its namespace. It goes alone first, so that whoever waits for a program
        // of the guest sees that the sandbox ended, and not a kill of the program alone.
        return first is not null && ProcessTable.IsAlive(first)
            ? [first]
            : [.. Marking.Marked().Where(process => process.Marker == marker).Select(process => process.Process)];
    }
}
