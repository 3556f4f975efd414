using Gjoll.Wire;

namespace Gjoll.Channel;

/// <summary>A connection to a port of the guest over the warden.</summary>
internal sealed class ChannelConnection : GuestConnection, IChannelOwner
{
    private const int AcknowledgeEvery = WireLimits.Window / 4;

    private readonly Lock _gate = new();
    private readonly InboundStream _inbound;
    private readonly OutboundStream _outbound = new(keeps: false);
    private ClientChannel? _channel;
    private long _acknowledged;

    public ChannelConnection() => _inbound = new InboundStream(0, Consumed);

    void IChannelOwner.Open(ClientChannel channel, WireResponse answer)
    {
        lock (_gate)
        {
            _channel = channel;
        }

        _outbound.Attach(channel, 0, first: true);
    }

    public override Task EndWritingAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _outbound.End();
        return Task.CompletedTask;
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => _inbound.ReadAsync(buffer, cancellationToken);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        _inbound.ReadAsync(buffer, offset, count, cancellationToken);

    public override int Read(byte[] buffer, int offset, int count) => _inbound.Read(buffer, offset, count);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => _outbound.WriteAsync(buffer, cancellationToken);

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        _outbound.WriteAsync(buffer, offset, count, cancellationToken);

    public override void Write(byte[] buffer, int offset, int count) => _outbound.Write(buffer, offset, count);

    void IChannelOwner.Receive(in Frame frame)
    {
        switch (frame.Kind)
        {
            case FrameKind.Data:
                var (offset, bytes) = FramePayload.Data(frame);
                if (!_inbound.Receive((long)offset, bytes.Span))
                {
                    throw new WireException("bytes are missing");
                }

                break;
            case FrameKind.End when frame.Stream == WireStream.Input:
                _outbound.Refuse("The guest no longer reads.");
                break;
            case FrameKind.End:
                _inbound.End();
                break;
            case FrameKind.Ack when frame.Stream == WireStream.Input:
                _outbound.Acknowledge((long)FramePayload.Offset(frame));
                break;
            case FrameKind.Failure:
                Lost(WireJson.ReadFailure(frame).Message);
                break;
            case FrameKind.Close:
                Lost("the guest closed it");
                break;
            default:
                throw new WireException($"a frame of kind {(byte)frame.Kind} came where it does not belong");
        }
    }

    void IChannelOwner.Lose(string reason) => Lost(reason);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            ClientChannel? channel;
            lock (_gate)
            {
                (channel, _channel) = (_channel, null);
            }

            channel?.Close(leave: false);
            Lost("it was disposed");
        }

        base.Dispose(disposing);
    }

    private void Lost(string reason)
    {
        lock (_gate)
        {
            _channel = null;
        }

        // After an orderly end this changes nothing: what has arrived is still read.
        _inbound.End($"The connection to the guest is over: {reason}.");
        _outbound.Refuse($"The connection to the guest is over: {reason}.");
    }

    private void Consumed(long offset)
    {
        lock (_gate)
        {
            if (offset - _acknowledged >= AcknowledgeEvery)
            {
                _acknowledged = offset;
                _channel?.SendMark(FrameKind.Ack, WireStream.Output, offset);
            }
        }
    }
}
