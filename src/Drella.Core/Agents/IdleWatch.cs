namespace Drella.Core.Agents;

/// <summary>Fires when neither output nor model traffic came for a time. Does not count while we ourselves hold the output up.</summary>
internal sealed class IdleWatch : IAsyncDisposable
{
    private readonly AgentRunPorts _ports;
    private readonly Action _onIdle;
    private readonly ITimer _timer;
    private readonly Lock _lock = new();
    private DateTimeOffset _lastOutput;
    private bool _busy;

    public IdleWatch(AgentRunPorts ports, Action onIdle)
    {
        _ports = ports;
        _onIdle = onIdle;
        _lastOutput = ports.Time.GetUtcNow();
        _timer = ports.Time.CreateTimer(static state => ((IdleWatch)state!).Look(), this, ports.Limits.IdleTimeout, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Output came and is being taken in (true), or has been taken in (false).</summary>
    public void Output(bool busy)
    {
        lock (_lock)
        {
            _busy = busy;
            _lastOutput = _ports.Time.GetUtcNow();
        }
    }

    public ValueTask DisposeAsync() => _timer.DisposeAsync();

    private void Look()
    {
        TimeSpan left;
        lock (_lock)
        {
            var now = _ports.Time.GetUtcNow();
            var last = _busy ? now : _lastOutput;
            if (_ports.LastModelActivity() is { } model && model > last)
            {
                last = model > now ? now : model;
            }

            left = last + _ports.Limits.IdleTimeout - now;
        }

        if (left <= TimeSpan.Zero)
        {
            _onIdle();
        }
        else
        {
            _timer.Change(left, Timeout.InfiniteTimeSpan);
        }
    }
}
