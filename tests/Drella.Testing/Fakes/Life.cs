namespace Drella.Testing.Fakes;

/// <summary>
/// One life of the daemon. When it is over nothing of it acts any more, as after a power cut: its timers never fire and whatever it waits for
/// outside never answers. What it had changed outside stays.
/// </summary>
public sealed class Life(TimeProvider time)
{
    private readonly LifeTime clock = new(time);

    /// <summary>Raised once, when it ends.</summary>
    public event Action? Ended;

    public bool IsOver { get; private set; }

    /// <summary>The clock of this life.</summary>
    public TimeProvider Time => clock;

    /// <summary>Never completes: what a dead process sees of a call.</summary>
    public static Task<T> Never<T>() => new TaskCompletionSource<T>().Task;

    public void End()
    {
        if (!IsOver)
        {
            IsOver = true;
            clock.Stop();
            Ended?.Invoke();
        }
    }

    private sealed class LifeTime(TimeProvider inner) : TimeProvider
    {
        private readonly HashSet<LifeTimer> timers = [];
        private bool isStopped;

        public override long TimestampFrequency => inner.TimestampFrequency;

        public override TimeZoneInfo LocalTimeZone => inner.LocalTimeZone;

        public override DateTimeOffset GetUtcNow() => inner.GetUtcNow();

        public override long GetTimestamp() => inner.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = new LifeTimer(this);
            timers.Add(timer);
            timer.Inner = inner.CreateTimer(_ => timer.Fire(callback, state), null, isStopped ? Timeout.InfiniteTimeSpan : dueTime, period);
            return timer;
        }

        public void Stop()
        {
            isStopped = true;
            foreach (var timer in timers.ToList())
            {
                timer.Dispose();
            }
        }

        private sealed class LifeTimer(LifeTime owner) : ITimer
        {
            public ITimer? Inner { get; set; }

            public void Fire(TimerCallback callback, object? state)
            {
                if (!owner.isStopped)
                {
                    callback(state);
                }
            }

            public bool Change(TimeSpan dueTime, TimeSpan period) => !owner.isStopped && Inner!.Change(dueTime, period);

            public void Dispose()
            {
                owner.timers.Remove(this);
                Inner?.Dispose();
            }

            public ValueTask DisposeAsync()
            {
                Dispose();
                return ValueTask.CompletedTask;
            }
        }
    }
}
