using System.Text;
using Drella.Core.Sandboxes;

namespace Drella.Core.Agents;

/// <summary>One started agent. Tasks: output, error tail, input, exit, and the ladder that ends it when something calls for that.</summary>
internal sealed class SupervisedAgent : IAsyncDisposable
{
    private const int ErrorTailBytes = 8 * 1024;

    private readonly IGuestProcess _process;
    private readonly IAgentAdapter _adapter;
    private readonly LaunchPlan _plan;
    private readonly AgentRunPorts _ports;
    private readonly IAgentStream _stream;
    private readonly EventGate _events;
    private readonly AgentInput _input;
    private readonly TaskCompletionSource<EndCause> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _turnOver = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stop = new();
    private readonly IdleWatch _idle;
    private readonly ITimer _deadline;
    private readonly ITimer _leave;
    private volatile bool _finished;

    public SupervisedAgent(IGuestProcess process, IAgentAdapter adapter, LaunchPlan plan, AgentRunPorts ports)
    {
        (_process, _adapter, _plan, _ports) = (process, adapter, plan, ports);
        _stream = adapter.OpenStream();
        _events = new EventGate(ports.Limits.MaxEventsPerSecond, ports.Time, ports.OnEvent);
        _input = new AgentInput(process.StandardInput);
        _idle = new IdleWatch(ports, () => Overdue(EndCause.Idle));
        _deadline = ports.Time.CreateTimer(
            _ => Overdue(EndCause.Deadline), null, ports.Limits.Deadline, Timeout.InfiniteTimeSpan);
        _leave = ports.Time.CreateTimer(_ => Leave(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    private enum EndCause
    {
        Exited,
        Idle,
        Deadline,
        Cancelled,
        Interrupted,
        Lingered,
    }

    public async Task<AgentResult> RunAsync(CancellationToken cancellationToken)
    {
        await using var cancelled = cancellationToken.Register(() => _end.TrySetResult(EndCause.Cancelled));
        var exit = _process.WaitAsync(_stop.Token);
        var output = ReadOutputAsync();
        var errorTail = ReadErrorTailAsync();
        var input = FeedAsync();
        var ladder = EndAsync(exit);

        try
        {
            // Output that fails (transcript, event handler) must not leave the agent running for its whole time.
            if (await Task.WhenAny(output, exit, ladder) == output)
            {
                await output;
            }

            await Task.WhenAny(exit, ladder);
            _end.TrySetResult(EndCause.Exited);
            await ladder;
            await SettleAsync(output);
            var ended = exit.IsCompleted && !exit.IsCanceled ? await exit : new GuestExit(null, 9);

            await _events.CloseAsync();
            await _ports.Transcript.FlushAsync(CancellationToken.None);
            _stop.Cancel();
            return Judge(_stream.Finish(ended, await errorTail), await _end.Task);
        }
        finally
        {
            _end.TrySetResult(EndCause.Exited);
            _stop.Cancel();
            await _process.DisposeAsync();
            await _input.CloseAsync();
            await Task.WhenAll(output, errorTail, input, ladder).ContinueWith(
                static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _idle.DisposeAsync();
        await _deadline.DisposeAsync();
        await _leave.DisposeAsync();
        _stop.Cancel();
        _stop.Dispose();
        _input.Dispose();
    }

    private static AgentResult Judge(AgentResult said, EndCause cause) => cause switch
    {
        EndCause.Exited or EndCause.Lingered => said,
        EndCause.Idle => said with { Outcome = AgentOutcome.TimedOut, Detail = $"idle; {said.Detail}" },
        EndCause.Deadline => said with { Outcome = AgentOutcome.TimedOut, Detail = $"deadline; {said.Detail}" },
        EndCause.Cancelled => said with { Outcome = AgentOutcome.Interrupted, Detail = $"cancelled; {said.Detail}" },
        // An interrupt that crossed with the end of the work changes nothing.
        _ when said.Outcome == AgentOutcome.Completed => said,
        _ => said with { Outcome = AgentOutcome.Interrupted, Detail = $"interrupted; {said.Detail}" },
    };

    private async Task ReadOutputAsync()
    {
        var lines = new LineSplitter(_ports.Limits.MaxLine);
        var buffer = new byte[64 * 1024];
        int read;
        while ((read = await _process.StandardOutput.ReadAsync(buffer, _stop.Token)) > 0)
        {
            _idle.Output(busy: true);
            var bytes = buffer.AsMemory(0, read);
            await _ports.Transcript.WriteAsync(bytes, _stop.Token);
            await lines.FeedAsync(bytes, TakeLineAsync);
            _idle.Output(busy: false);
        }

        await lines.FinishAsync(TakeLineAsync);
    }

    private async ValueTask TakeLineAsync(ReadOnlyMemory<byte> line, long length)
    {
        if (length > line.Length)
        {
            await _events.PassAsync(new AgentEvent.Notice($"drella/line-cut {length}"));
            await _events.PassAsync(new AgentEvent.Unparsed(Encoding.UTF8.GetString(line.Span[..Math.Min(line.Length, 200)])));
            return;
        }

        foreach (var happened in _stream.Read(line.Span))
        {
            await _events.PassAsync(happened);
        }

        if (_stream.IsFinished == _finished)
        {
            return;
        }

        _finished = _stream.IsFinished;
        _leave.Change(_finished ? _ports.Limits.Grace : Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        if (_finished)
        {
            _turnOver.TrySetResult();
            // The end of its input lets it finish what it has queued, and leave.
            await _input.CloseAsync();
        }
    }

    private void Leave()
    {
        if (_finished)
        {
            _end.TrySetResult(EndCause.Lingered);
        }
    }

    private void Overdue(EndCause cause) => _end.TrySetResult(_finished ? EndCause.Lingered : cause);

    private async Task<string> ReadErrorTailAsync()
    {
        var tail = new byte[ErrorTailBytes * 2];
        var kept = 0;
        try
        {
            int read;
            while ((read = await _process.StandardError.ReadAsync(tail.AsMemory(kept), _stop.Token)) > 0)
            {
                kept += read;
                if (kept > ErrorTailBytes)
                {
                    tail.AsSpan(kept - ErrorTailBytes, ErrorTailBytes).CopyTo(tail);
                    kept = ErrorTailBytes;
                }
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Something left behind holds the pipe; what came so far is the tail.
        }
        catch (IOException)
        {
            // The pipe went with the guest.
        }

        return Encoding.UTF8.GetString(tail, 0, kept);
    }

    private async Task FeedAsync()
    {
        foreach (var line in _plan.FirstInput)
        {
            await _input.WriteLineAsync(line, _stop.Token);
        }

        try
        {
            while (await _ports.Control.WaitToReadAsync(_stop.Token))
            {
                while (_ports.Control.TryRead(out var control))
                {
                    await ObeyAsync(control);
                }
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The run is over.
        }
    }

    private async Task ObeyAsync(AgentControl control)
    {
        if (control is AgentControl.Interrupt)
        {
            _end.TrySetResult(EndCause.Interrupted);
        }
        else if (control is AgentControl.Steer steer && _adapter.SteerLine(steer.Message) is { } line)
        {
            await _input.WriteLineAsync(line, _stop.Token);
        }
    }

    private async Task EndAsync(Task<GuestExit> exit)
    {
        var cause = await _end.Task;
        if (cause == EndCause.Exited)
        {
            return;
        }

        if (cause != EndCause.Lingered && _adapter.InterruptLine() is { } interrupt)
        {
            using var patience = new CancellationTokenSource(_ports.Limits.Grace, _ports.Time);
            await _input.WriteLineAsync(interrupt, patience.Token);
            await WithinGraceAsync(Task.WhenAny(exit, _turnOver.Task));
            await _input.CloseAsync();
            await WithinGraceAsync(exit);
        }

        if (!exit.IsCompleted)
        {
            await _process.TerminateAsync(CancellationToken.None);
            await WithinGraceAsync(exit);
        }

        if (!exit.IsCompleted)
        {
            await _process.DisposeAsync();
        }
    }

    /// <summary>What was said before the end is still in the pipe; what was left behind may hold the pipe open for ever.</summary>
    private async Task SettleAsync(Task output)
    {
        while (!output.IsCompleted && !await WithinGraceAsync(output))
        {
            await _process.DisposeAsync();
            if (!await WithinGraceAsync(output))
            {
                _stop.Cancel();
                break;
            }
        }

        try
        {
            await output;
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Cut off above.
        }
        catch (IOException)
        {
            // The pipe went with the guest.
        }
    }

    private async Task<bool> WithinGraceAsync(Task task)
    {
        try
        {
            await task.WaitAsync(_ports.Limits.Grace, _ports.Time);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }
}
