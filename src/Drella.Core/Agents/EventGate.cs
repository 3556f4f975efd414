namespace Drella.Core.Agents;

/// <summary>Passes events on, at most so many in a second. Starts, ends and errors always pass; the rest is counted.</summary>
internal sealed class EventGate(int maxPerSecond, TimeProvider time, Func<AgentEvent, ValueTask> onEvent)
{
    private long _windowStart = time.GetTimestamp();
    private int _passed;
    private long _held;

    public async ValueTask PassAsync(AgentEvent happened)
    {
        if (time.GetElapsedTime(_windowStart) >= TimeSpan.FromSeconds(1))
        {
            await CloseAsync();
            _windowStart = time.GetTimestamp();
            _passed = 0;
        }

        if (_passed++ < maxPerSecond || happened is AgentEvent.Session or AgentEvent.TurnEnded or AgentEvent.Error)
        {
            await onEvent(happened);
        }
        else
        {
            _held++;
        }
    }

    /// <summary>Says how many were held back since the last time.</summary>
    public async ValueTask CloseAsync()
    {
        if (_held > 0)
        {
            var held = _held;
            _held = 0;
            await onEvent(new AgentEvent.Notice($"drella/events-held-back {held}"));
        }
    }
}
