using System.Diagnostics;
using Gjoll.Wire;

namespace Gjoll.Channel;

/// <summary>One program of a guest over the warden. A kept one outlives its channel: when that is lost another one takes it up where its streams were.</summary>
internal sealed class ChannelProcess : IGuestProcess, IChannelOwner
{
    // Few acknowledgements, and never so few that the sender waits for one.
    private const int AcknowledgeEvery = WireLimits.Window / 4;

    private const int Killed = 128 + (int)GuestSignal.Kill;

    private static readonly TimeSpan KillPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan EndPoll = TimeSpan.FromMilliseconds(10);

    private readonly Lock _gate = new();
    private readonly GuestChannel _guest;
    private readonly TimeProvider _time;
    private readonly bool _hasTerminal;
    private readonly InboundStream _output;
    private readonly InboundStream _error;
    private readonly OutboundStream _input;
    private readonly TaskCompletionSource<ExitStatus> _exit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _disposing = new();
    private ClientChannel? _channel;
    private Task _recovery = Task.CompletedTask;
    private TaskCompletionSource _attached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _outputAcknowledged;
    private long _errorAcknowledged;
    private bool _wasOpen;
    private bool _disposed;

    /// <param name="guest">Where another channel comes from.</param>
    /// <param name="id">Null when it is not kept.</param>
    /// <param name="hasTerminal">What it was started with; of an attached one nobody knows, and the guest says.</param>
    /// <param name="output">Where its output goes on.</param>
    /// <param name="error">Where its error output goes on.</param>
    /// <param name="time">The clock.</param>
    public ChannelProcess(GuestChannel guest, string? id, bool hasTerminal, long output, long error, TimeProvider time)
    {
        (_guest, Id, _hasTerminal, _time) = (guest, id, hasTerminal, time);
        _output = new InboundStream(output, offset => Consumed(WireStream.Output, offset, ref _outputAcknowledged));
        _error = new InboundStream(error, offset => Consumed(WireStream.Error, offset, ref _errorAcknowledged));
        _input = new OutboundStream(keeps: id is not null);
        (_outputAcknowledged, _errorAcknowledged) = (output, error);
    }

    public string? Id { get; }

    public int ProcessId { get; private set; }

    public Stream StandardInput => _input;

    public Stream StandardOutput => _output;

    public Stream StandardError => _error;

    public long OutputOffset => _output.Consumed;

    public long ErrorOffset => _error.Consumed;

    /// <summary>Nothing will be written: what is written all the same fails.</summary>
    public void CloseInput() => _input.Refuse("Standard input was not opened.");

    public async Task SignalAsync(GuestSignal signal, CancellationToken cancellationToken) =>
        await SendAsync(FrameKind.Signal, FramePayload.Signal((int)signal), 0, cancellationToken);

    public async Task KillAsync(CancellationToken cancellationToken) =>
        await SendAsync(FrameKind.Signal, FramePayload.Signal((int)GuestSignal.Kill), 1, cancellationToken);

    public async Task ResizeAsync(TerminalSize size, CancellationToken cancellationToken)
    {
        SpecCheck.Check(size);
        if (!_hasTerminal)
        {
            throw new InvalidOperationException("The program has no terminal.");
        }

        await SendAsync(FrameKind.Resize, FramePayload.Size((ushort)size.Columns, (ushort)size.Rows), 0, cancellationToken);
    }

    public async Task AcknowledgeAsync(long output, long error, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(output, OutputOffset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(error, ErrorOffset);
        if (Id is null)
        {
            return;
        }

        ClientChannel? channel;
        lock (_gate)
        {
            channel = _channel;
            Mark(WireStream.Output, output, ref _outputAcknowledged);
            Mark(WireStream.Error, error, ref _errorAcknowledged);
        }

        if (channel is not null)
        {
            await channel.RoomAsync(cancellationToken);
        }

        void Mark(byte stream, long offset, ref long acknowledged)
        {
            if (offset > acknowledged)
            {
                acknowledged = offset;
                channel?.SendMark(FrameKind.Ack, stream, offset);
            }
        }
    }

    public Task<ExitStatus> WaitAsync(CancellationToken cancellationToken) => _exit.Task.WaitAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        Task recovery;
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            recovery = _recovery;
        }

        await _disposing.CancelAsync();
        await recovery;
        if (Id is null && !_exit.Task.IsCompleted)
        {
            _channel?.Send(FrameKind.Signal, FramePayload.Signal((int)GuestSignal.Kill), 1);
            await ((Task)_exit.Task.WaitAsync(KillPatience, _time, CancellationToken.None)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        ClientChannel? channel;
        lock (_gate)
        {
            (channel, _channel) = (_channel, null);
        }

        channel?.Close(leave: Id is not null && !IsSettled());
        Fail("The program's handle was disposed.");
        _output.Dispose();
        _error.Dispose();
        _disposing.Dispose();
    }

    void IChannelOwner.Open(ClientChannel channel, WireResponse answer)
    {
        bool first;
        lock (_gate)
        {
            _channel = channel;
            (first, _wasOpen) = (!_wasOpen, true);
            if (first)
            {
                ProcessId = answer.ProcessId ?? 0;
            }
            else
            {
                // What was acknowledged while there was no channel.
                channel.SendMark(FrameKind.Ack, WireStream.Output, _outputAcknowledged);
                channel.SendMark(FrameKind.Ack, WireStream.Error, _errorAcknowledged);
            }

            _attached.TrySetResult();
        }

        if (!_input.Attach(channel, (long)(answer.InputReceived ?? 0), first))
        {
            Fail("The guest does not say truly how much input it has.");
        }
    }

    void IChannelOwner.Receive(in Frame frame)
    {
        switch (frame.Kind)
        {
            case FrameKind.Data:
                var (offset, bytes) = FramePayload.Data(frame);
                if (!Inbound(frame.Stream).Receive((long)offset, bytes.Span))
                {
                    throw new WireException("bytes are missing");
                }

                break;
            case FrameKind.End when frame.Stream == WireStream.Input:
                _input.Refuse("The program no longer reads.");
                break;
            case FrameKind.End:
                Inbound(frame.Stream).End();
                break;
            case FrameKind.Ack when frame.Stream == WireStream.Input:
                _input.Acknowledge((long)FramePayload.Offset(frame));
                break;
            case FrameKind.Exited:
                var (code, reason) = FramePayload.Exited(frame);
                _input.Refuse("The program has ended.");
                // The guest's agent may have seen its child go with the sandbox before it went itself.
                _exit.TrySetResult(code == Killed && reason == ExitReason.Exited && !_guest.IsRunning() ? new ExitStatus(code, ExitCause.SandboxStopped) : Status(code, reason));
                break;
            case FrameKind.Failure:
                Lost(WireJson.ReadFailure(frame).Message, isOurs: true);
                break;
            case FrameKind.Close:
                Lost("another handle has attached to it", isOurs: false);
                break;
            default:
                throw new WireException($"a frame of kind {(byte)frame.Kind} came where it does not belong");
        }
    }

    void IChannelOwner.Lose(string reason) => Lost(reason, isOurs: true);

    public static ExitStatus Status(int code, ExitReason reason) => new(code, reason switch
    {
        ExitReason.Exited => ExitCause.Exited,
        ExitReason.TimedOut => ExitCause.TimedOut,
        ExitReason.OutputLimit => ExitCause.OutputLimitReached,
        _ => throw new UnreachableException(),
    });

    private InboundStream Inbound(byte stream) => stream == WireStream.Error ? _error : _output;

    private bool IsSettled() =>
        _exit.Task.IsCompletedSuccessfully && _output.IsEnded && _error.IsEnded && _outputAcknowledged == _output.Received && _errorAcknowledged == _error.Received;

    /// <summary>A program that is not kept is acknowledged as it is read.</summary>
    private void Consumed(byte stream, long offset, ref long acknowledged)
    {
        if (Id is not null)
        {
            return;
        }

        lock (_gate)
        {
            if (offset - acknowledged >= AcknowledgeEvery)
            {
                acknowledged = offset;
                _channel?.SendMark(FrameKind.Ack, stream, offset);
            }
        }
    }

    private async Task SendAsync(FrameKind kind, byte[] payload, byte stream, CancellationToken cancellationToken)
    {
        while (!_exit.Task.IsCompleted)
        {
            Task attached;
            lock (_gate)
            {
                ObjectDisposedException.ThrowIf(_disposed, this);
                if (_channel is not null)
                {
                    _channel.Send(kind, payload, stream);
                    return;
                }

                attached = _attached.Task;
            }

            await Task.WhenAny(attached, _exit.Task).WaitAsync(cancellationToken);
        }

        if (_exit.Task.IsFaulted)
        {
            await _exit.Task;
        }
    }

    private void Lost(string reason, bool isOurs)
    {
        lock (_gate)
        {
            _channel = null;
            if (_attached.Task.IsCompleted)
            {
                _attached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            if (_disposed || (_exit.Task.IsCompletedSuccessfully && _output.IsEnded && _error.IsEnded))
            {
                return;
            }

            _input.Detach();
            // One at a time: a channel is lost only after it was made.
            _recovery = RecoverAsync(_recovery, reason, isOurs);
        }
    }

    private async Task RecoverAsync(Task earlier, string reason, bool isOurs)
    {
        await earlier;
        // Off the connection's task, which may be the one that is ending.
        await Task.Yield();
        try
        {
            if (await EndsAsync(wait: isOurs && Id is null))
            {
                Stopped();
            }
            else if (Id is null || !isOurs)
            {
                Fail($"The program was lost: {reason}.");
            }
            else
            {
                await AttachAgainAsync(Id);
            }
        }
        catch (OperationCanceledException) when (_disposing.IsCancellationRequested)
        {
            // Nobody wants it any more.
        }
        catch (GjollException failure)
        {
            if (_guest.IsRunning())
            {
                Fail(failure.Message);
            }
            else
            {
                Stopped();
            }
        }
    }

    /// <summary>Whether the sandbox is ending. The link may break a moment before the guest's first process is seen to go.</summary>
    private async Task<bool> EndsAsync(bool wait)
    {
        var started = _time.GetTimestamp();
        while (_guest.IsRunning())
        {
            if (!wait || _time.GetElapsedTime(started) > EndPatience)
            {
                return false;
            }

            await Task.Delay(EndPoll, _time, _disposing.Token);
        }

        return true;
    }

    private async Task AttachAgainAsync(string id)
    {
        var request = new AttachRequest(id, (ulong)_output.Received, (ulong)_error.Received);
        try
        {
            await _guest.OpenAsync(request, this, $"attach to {id} again", _disposing.Token);
        }
        catch (ChannelException refused)
        {
            Fail(refused.Explain($"attach to {id} again").Message);
        }
    }

    private void Stopped()
    {
        _exit.TrySetResult(new ExitStatus(Killed, ExitCause.SandboxStopped));
        _input.Refuse("The sandbox has stopped.");
        _output.End();
        _error.End();
    }

    private void Fail(string reason)
    {
        _exit.TrySetException(new GjollException(reason, isTransient: true));
        _input.Refuse(reason);
        _output.End(reason);
        _error.End(reason);
    }
}
