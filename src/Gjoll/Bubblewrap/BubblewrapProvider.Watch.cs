using Gjoll.Hosts;
using Microsoft.Extensions.Logging;

namespace Gjoll.Bubblewrap;

public sealed partial class BubblewrapProvider
{
    private readonly CancellationTokenSource _end = new();
    private readonly Task _watch;

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _watch;
        await _host.DisposeAsync();
        _end.Dispose();
    }

    /// <summary>Stops what is past its deadline and what has outgrown a measured disk. One failure does not end the watch.</summary>
    private async Task WatchAsync()
    {
        using var timer = new PeriodicTimer(_options.WatchInterval, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(_end.Token))
            {
                foreach (var name in _registry.Names())
                {
                    await LookAsync(name, _end.Token);
                }
            }
        }
        catch (OperationCanceledException) when (_end.IsCancellationRequested)
        {
            // Disposed.
        }
    }

    private async Task LookAsync(SandboxName name, CancellationToken cancellationToken)
    {
        try
        {
            if (_registry.Read(name) is not { Ready: true, Run: { } run } record || !ProcessTable.IsAlive(run.Init))
            {
                return;
            }

            if (run.Deadline <= _time.GetUtcNow())
            {
                LogDeadline(name);
            }
            else if (!record.DiskImage && await new WritableLayer(_folders, name, record).MeasureAsync(cancellationToken) > record.Spec.Limits.DiskBytes)
            {
                LogDisk(name, record.Spec.Limits.DiskBytes);
            }
            else
            {
                return;
            }

            using var held = await _registry.LockAsync(name, cancellationToken);
            // What was seen before the lock was held may be another start by now.
            if (_registry.Read(name)?.Run?.Init == run.Init)
            {
                await _host.StopAsync(name, TimeSpan.Zero, cancellationToken);
            }
        }
        catch (Exception failure) when (failure is GjollException or IOException)
        {
            LogLookFailed(name, failure.Message);
        }
    }

    [LoggerMessage(LogLevel.Warning, "Sandbox {Name} has reached its lifetime and is stopped")]
    private partial void LogDeadline(SandboxName name);

    [LoggerMessage(LogLevel.Warning, "Sandbox {Name} holds more than {Limit} bytes and is stopped")]
    private partial void LogDisk(SandboxName name, long limit);

    [LoggerMessage(LogLevel.Warning, "Sandbox {Name} could not be looked at: {Reason}")]
    private partial void LogLookFailed(SandboxName name, string reason);
}
