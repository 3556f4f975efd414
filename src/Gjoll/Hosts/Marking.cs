namespace Gjoll.Hosts;

/// <summary>
/// How the processes that we start for a sandbox are known again, by whoever looks and whatever became of who started them. Programs of the guest do not
/// carry the mark: they end with process 1, which does.
/// </summary>
internal static class Marking
{
    public const string Variable = "GJOLL_SANDBOX";

    public static IEnumerable<(ProcessIdentity Process, string Marker)> Marked()
    {
        foreach (var id in ProcessTable.All())
        {
            // Identified before it is read: what is read then belongs to that process or to a later one, and the latter is noticed when it is signalled.
            if (id != Environment.ProcessId && ProcessTable.Identify(id) is { } process && ProcessTable.EnvironmentValue(id, Variable) is { } marker)
            {
                yield return (process, marker);
            }
        }
    }
}
