using Gjoll.Guest.Kernel;

namespace Gjoll.Guest.Programs;

internal static class Subreaper
{
    /// <summary>What loses its parent becomes the agent's child.</summary>
    public static void Become() => _ = Libc.prctl(Libc.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}
