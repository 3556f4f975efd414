using Gjoll.Guest.Channels;
using Gjoll.Guest.Kernel;
using Gjoll.Wire;

namespace Gjoll.Guest.Programs;

/// <summary>
/// A program with its streams. One that is not kept lives as long as its channel; a kept one goes on without, and is paused by the kernel when its
/// streams are full.
/// <code>
/// running -- exits --> exited -- closed (forgotten, evicted) --> ended -- last process gone --> gone
///    \------- closed, and not kept (or the agent stops) -----------^
/// </code>
/// </summary>
internal sealed class GuestProgram : Channel, IPumpOwner, ITreeOwner
{
    private const byte EndOfTransmission = 4;

    private readonly Switchboard _switchboard;
    private readonly ProgramTable _table;
    private readonly SendStream _output;
    private readonly SendStream _error;
    private readonly ReceiveStream _input;
    private readonly long _outputLimit;
    private readonly bool _hasTerminal;
    private Pump? _inputPump;
    private Pump? _outputPump;
    private Pump? _errorPump;
    private IProgramTree? _tree;
    private Timers.Timer? _timeout;
    private long _given;
    private uint _startedFor;
    private bool _exitSent;
    private bool _hasEnded;

    public GuestProgram(Switchboard switchboard, ProgramTable table, ExecRequest request)
    {
        _switchboard = switchboard;
        _table = table;
        Id = request.Id;
        Keep = request.Keep;
        _outputLimit = request.OutputLimit;
        _hasTerminal = request.Terminal is not null;
        _output = new SendStream(WireStream.Output, switchboard.Segments);
        _error = new SendStream(WireStream.Error, switchboard.Segments);
        _input = new ReceiveStream(switchboard.Segments);
    }

    public string Id { get; }

    public bool Keep { get; }

    /// <summary>0 until it is known.</summary>
    public int ProcessId { get; private set; }

    public int? Exit { get; private set; }

    public ExitReason Reason { get; private set; }

    public ProgramState State => new(Id, ProcessId, Exit, Exit is null ? null : Reason);

    public override bool HasWork => _startedFor == 0 && (_input.AckIsDue || _output.HasWork || _error.HasWork || (Exit is not null && !_exitSent));

    /// <summary>Takes over what was forked.</summary>
    public void Begin(Launch launch, IProgramTree tree, long timeout)
    {
        _tree = tree;
        _outputPump = Pump.Start(_switchboard.Loop, this, launch.Output, _output, _hasTerminal ? _input : null);
        _inputPump = _hasTerminal ? _outputPump : launch.Input >= 0 ? Pump.Start(_switchboard.Loop, this, launch.Input, null, _input) : null;
        if (launch.Error >= 0)
        {
            _errorPump = Pump.Start(_switchboard.Loop, this, launch.Error, _error, null);
        }
        else
        {
            _error.Finish();
        }

        if (timeout > 0)
        {
            _timeout = _switchboard.Loop.Timers.Start(timeout, () => EndTree(ExitReason.TimedOut));
        }
    }

    /// <summary>Gives the channel its answer as soon as the number of the process is known; its streams follow.</summary>
    public void AnswerWhenStarted(uint channel)
    {
        _startedFor = channel;
        AnswerStarted();
    }

    /// <exception cref="RequestException">The offsets cannot be had.</exception>
    public WireResponse Attach(ulong output, ulong error)
    {
        if (!_output.CanStartAt(output) || !_error.CanStartAt(error))
        {
            throw new RequestException(FailureCode.Invalid, "the offsets are not within what is kept");
        }

        if (!_input.CanReattach)
        {
            throw new RequestException(FailureCode.Exhausted, "the program has not yet read what earlier clients sent");
        }

        _output.StartAt(output);
        _error.StartAt(error);
        _input.Reattach();
        _exitSent = false;
        return new WireResponse { ProcessId = ProcessId, InputReceived = _input.Received };
    }

    public override bool Emit(Outbox outbox)
    {
        if (_input.AckIsDue && !_input.TryEmitAck(Number, outbox))
        {
            return false;
        }

        // The exit first: whoever waits for it need not read all output before.
        if (Exit is { } code && !_exitSent)
        {
            if (!outbox.TryAdd(FrameWriter.Make(FrameKind.Exited, Number, FramePayload.Exited(code, Reason))))
            {
                return false;
            }

            _exitSent = true;
        }

        return (!_output.HasWork || _output.TryEmit(Number, outbox)) && (!_error.HasWork || _error.TryEmit(Number, outbox));
    }

    public override void Data(byte stream, ulong offset, ReadOnlySpan<byte> bytes)
    {
        MustBeInput(stream);
        _input.Add(offset, bytes, _inputPump?.Descriptor ?? -1);
        _inputPump?.Refresh();
    }

    public override void Acknowledged(byte stream, ulong offset)
    {
        var (acknowledged, pump) = stream switch
        {
            WireStream.Output => (_output, _outputPump),
            WireStream.Error => (_error, _errorPump),
            _ => throw new WireException("a stream was acknowledged that does not exist"),
        };
        acknowledged.Acknowledge(offset);
        pump?.Refresh();
    }

    public override void Ended(byte stream, ulong offset)
    {
        MustBeInput(stream);
        _input.End(offset);
        if (_input.IsAtEnd && _inputPump is not null)
        {
            InputAtEnd(_inputPump);
        }
    }

    public override void Closed(bool byHost)
    {
        if (!Keep || (byHost && _exitSent))
        {
            End();
        }
        else
        {
            _startedFor = 0;
            _table.Detached(this);
        }
    }

    public override void Signal(int number, bool toAll)
    {
        if (number is > 0 and <= 64)
        {
            _tree?.Signal(number, toAll);
        }
    }

    public override void Resize(ushort columns, ushort rows)
    {
        if (_hasTerminal && _outputPump is { Descriptor: >= 0 } pump)
        {
            Ends.Resize(pump.Descriptor, columns, rows);
        }
    }

    /// <summary>Kills what still lives, hangs up its terminal and forgets its output. Its channel must be gone.</summary>
    public void End()
    {
        if (_hasEnded)
        {
            return;
        }

        _hasEnded = true;
        _table.Ended(this);
        _switchboard.Loop.Timers.Cancel(ref _timeout);
        _inputPump?.Close();
        _outputPump?.Close();
        _errorPump?.Close();
        _input.Drop();
        _output.Drop();
        _error.Drop();
        _tree?.Kill();
        if (_tree is null or { IsGone: true })
        {
            _table.Gone(this);
        }
    }

    public void Started(int processId)
    {
        ProcessId = processId;
        AnswerStarted();
    }

    public void Exited(int status)
    {
        // Low seven bits: the signal; above: the code.
        var signal = status & 0x7f;
        Exit = signal == 0 ? (status >> 8) & 0xff : 128 + signal;
        _switchboard.Loop.Timers.Cancel(ref _timeout);
        if (!_hasEnded)
        {
            _table.Finished(this);
            Moved();
        }
    }

    public void TreeGone()
    {
        if (_hasEnded)
        {
            _table.Gone(this);
        }
    }

    public void Moved() => _switchboard.Schedule(this);

    public void WasRead(int count)
    {
        _given += count;
        if (_outputLimit > 0 && _given > _outputLimit && _given - count <= _outputLimit)
        {
            EndTree(ExitReason.OutputLimit);
        }
    }

    public void WriterGone(Pump pump, int error)
    {
        // A terminal's descriptor also takes input, and gives an error when its last user is gone.
        if (!_hasTerminal)
        {
            pump.Close();
        }
    }

    public void ReaderGone(Pump pump)
    {
        if (!_hasTerminal)
        {
            pump.Close();
        }
    }

    public unsafe void InputAtEnd(Pump pump)
    {
        if (_hasTerminal)
        {
            var end = EndOfTransmission;
            _ = Libc.write(pump.Descriptor, &end, 1);
        }
        else
        {
            pump.Close();
        }

        Moved();
    }

    private void EndTree(ExitReason reason)
    {
        if (Exit is null)
        {
            Reason = reason;
        }

        _tree?.Kill();
    }

    private void AnswerStarted()
    {
        if (_startedFor != 0 && ProcessId != 0)
        {
            var channel = _startedFor;
            _startedFor = 0;
            _switchboard.Answer(WireJson.Response(channel, new WireResponse { ProcessId = ProcessId }));
            Moved();
        }
    }
}
