using Gjoll.Guest.Kernel;
using Gjoll.Wire;

namespace Gjoll.Guest.Channels;

/// <summary>A connection within the guest, whose other end is on the host: dialled by the host, or accepted here for one of its forwards.</summary>
internal sealed unsafe class Connection : Channel, IPumpOwner
{
    private readonly Switchboard _switchboard;
    private readonly SendStream _output;
    private readonly ReceiveStream _input;
    private readonly Action _gone;
    private Pump? _pump;
    private bool _isBroken;

    /// <param name="gone">Called once, when it is over.</param>
    public Connection(Switchboard switchboard, int descriptor, bool isOpen, Action gone)
    {
        _switchboard = switchboard;
        _gone = gone;
        _output = new SendStream(WireStream.Output, switchboard.Segments);
        _input = new ReceiveStream(switchboard.Segments);
        _pump = new Pump(switchboard.Loop, this, _output, _input) { Descriptor = descriptor };
        if (isOpen)
        {
            _pump.Wake();
        }
        else
        {
            _pump.Hold();
        }
    }

    public override bool HasWork => _isBroken || _output.HasWork || _input.AckIsDue || IsOver;

    private bool IsOver => _output.IsDone && _input.IsAtEnd && !_input.AckIsDue;

    public override bool Emit(Outbox outbox)
    {
        if (_input.AckIsDue && !_isBroken)
        {
            return _input.TryEmitAck(Number, outbox);
        }

        if (_isBroken || IsOver)
        {
            if (!outbox.TryAdd(FrameWriter.Make(FrameKind.Close, Number, [])))
            {
                return false;
            }

            _switchboard.Remove(this);
            End(reset: _isBroken);
            return true;
        }

        return _output.TryEmit(Number, outbox);
    }

    public override void Data(byte stream, ulong offset, ReadOnlySpan<byte> bytes)
    {
        MustBeInput(stream);
        _input.Add(offset, bytes, _pump?.Descriptor ?? -1);
        _pump?.Refresh();
    }

    public override void Acknowledged(byte stream, ulong offset)
    {
        if (stream != WireStream.Output)
        {
            throw new WireException("a stream was acknowledged that does not exist");
        }

        _output.Acknowledge(offset);
        _pump?.Refresh();
    }

    public override void Ended(byte stream, ulong offset)
    {
        MustBeInput(stream);
        _input.End(offset);
        if (_input.IsAtEnd && _pump is not null)
        {
            InputAtEnd(_pump);
        }
    }

    public override void Answered(bool accepted)
    {
        if (accepted)
        {
            _pump?.Wake();
        }
        else
        {
            _switchboard.Remove(this);
            End(reset: true);
        }
    }

    public override void Closed(bool byHost) => End(reset: true);

    public void Moved() => _switchboard.Schedule(this);

    public void WasRead(int count)
    {
    }

    public void WriterGone(Pump pump, int error) => _isBroken |= error != 0;

    public void ReaderGone(Pump pump) => _isBroken = true;

    public void InputAtEnd(Pump pump) => _ = Libc.shutdown(pump.Descriptor, Libc.SHUT_WR);

    private void End(bool reset)
    {
        if (_pump is not { } pump)
        {
            return;
        }

        _pump = null;
        if (reset)
        {
            // The program at the other end is to see that the connection broke, not that it ended.
            var linger = stackalloc int[] { 1, 0 };
            _ = Libc.setsockopt(pump.Descriptor, Libc.SOL_SOCKET, Libc.SO_LINGER, linger, 2 * sizeof(int));
        }

        pump.Close();
        _output.Drop();
        _input.Drop();
        _gone();
    }
}
