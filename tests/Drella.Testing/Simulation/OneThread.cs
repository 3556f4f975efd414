namespace Drella.Testing.Simulation;

/// <summary>
/// Runs everything that is awaited on the calling thread, in the order in which it became ready. What comes from another thread has no such
/// order; it is taken, but <see cref="Strays"/> counts it, and a run with strays proves nothing about its seed.
/// </summary>
public sealed class OneThread : SynchronizationContext
{
    private readonly Queue<(SendOrPostCallback Callback, object? State)> ready = new();
    private readonly Lock gate = new();
    private readonly int thread = Environment.CurrentManagedThreadId;

    /// <summary>Continuations that another thread handed in.</summary>
    public int Strays { get; private set; }

    public override void Post(SendOrPostCallback d, object? state)
    {
        lock (gate)
        {
            Strays += Environment.CurrentManagedThreadId == thread ? 0 : 1;
            ready.Enqueue((d, state));
        }
    }

    public override void Send(SendOrPostCallback d, object? state) => throw new NotSupportedException();

    /// <summary>Makes this the context of the calling thread until disposed.</summary>
    public IDisposable Enter()
    {
        var before = Current;
        SetSynchronizationContext(this);
        return new Leave(before);
    }

    /// <summary>Runs until nothing is ready.</summary>
    public void Drain()
    {
        while (Next() is { } next)
        {
            next.Callback(next.State);
        }
    }

    private (SendOrPostCallback Callback, object? State)? Next()
    {
        lock (gate)
        {
            return ready.TryDequeue(out var next) ? next : null;
        }
    }

    private sealed class Leave(SynchronizationContext? before) : IDisposable
    {
        public void Dispose() => SetSynchronizationContext(before);
    }
}
