namespace Gjoll.Egress;

/// <summary>Counts connections of each sandbox, so that one cannot take the places of another.</summary>
internal sealed class ConnectionSlots
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, int> taken = new(StringComparer.Ordinal);

    public bool TryTake(string sandbox, int max)
    {
        lock (gate)
        {
            var count = taken.GetValueOrDefault(sandbox);
            if (count >= max)
            {
                return false;
            }

            taken[sandbox] = count + 1;
            return true;
        }
    }

    public void Return(string sandbox)
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
