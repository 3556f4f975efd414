namespace Drella.Gateway.Tools;

/// <summary>What one admission has used of the endpoint: requests under way, and marks of the last minute.</summary>
internal sealed class CallMeter(TimeProvider time)
{
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private readonly Queue<long> requests = new();
    private readonly Queue<long> calls = new();
    private int underWay;

    /// <summary>Takes a place for a request; false when there is none. Give it back with <see cref="Leave"/>.</summary>
    public bool TryEnter(int maxAtOnce, int perMinute)
    {
        lock (gate)
        {
            if (underWay >= maxAtOnce || !TryMark(requests, perMinute))
            {
                return false;
            }

            underWay++;
            return true;
        }
    }

    public void Leave()
    {
        lock (gate)
        {
            underWay--;
        }
    }

    /// <summary>Counts a call of a tool; false when there were too many in the last minute.</summary>
    public bool TryCall(int perMinute)
    {
        lock (gate)
        {
            return TryMark(calls, perMinute);
        }
    }

    private bool TryMark(Queue<long> marks, int max)
    {
        while (marks.TryPeek(out var oldest) && time.GetElapsedTime(oldest) >= Window)
        {
            marks.Dequeue();
        }

        if (marks.Count >= max)
        {
            return false;
        }

        marks.Enqueue(time.GetTimestamp());
        return true;
    }
}
