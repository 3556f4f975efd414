using Drella.Core.Sandboxes;

namespace Drella.Gateway.Models;

/// <summary>Bounds the calls of each sandbox at a time, and with them the memory of their bodies.</summary>
internal sealed class CallSlots(int maxPerSandbox)
{
    private readonly Lock gate = new();
    private readonly Dictionary<SandboxName, int> taken = [];

    public bool TryTake(SandboxName sandbox)
    {
        lock (gate)
        {
            var count = taken.GetValueOrDefault(sandbox);
            taken[sandbox] = count < maxPerSandbox ? count + 1 : count;
            return count < maxPerSandbox;
        }
    }

    public void Free(SandboxName sandbox)
    {
        lock (gate)
        {
            if (--taken[sandbox] == 0)
            {
                taken.Remove(sandbox);
            }
        }
    }
}
