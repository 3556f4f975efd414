using Gjoll.Wire;

namespace Gjoll.Warden;

/// <summary>One direction of one stream of a channel, as the frames that passed say it is. It refuses what breaks the order or the window.</summary>
internal sealed class ByteWindow
{
    private ulong _next;
    private ulong _acknowledged;
    private bool _ended;

    public bool IsEnded => _ended;

    /// <summary>How much more may be sent now.</summary>
    public int Room => (int)(_acknowledged + WireLimits.Window - _next);

    public ulong Next => _next;

    /// <summary>Before anything has passed: the other end begins in the middle.</summary>
    public void StartAt(ulong offset) => (_next, _acknowledged) = (offset, offset);

    public void Take(ulong offset, int length)
    {
        if (offset != _next)
        {
            throw new WireException("data came out of order");
        }

        if (_ended)
        {
            throw new WireException("data came after its end");
        }

        if (length > Room)
        {
            throw new WireException("more data came than the window holds");
        }

        _next += (uint)length;
    }

    /// <summary>One that goes back changes nothing: after an attach the owner acknowledges what lies before the start of this channel.</summary>
    public void Acknowledge(ulong offset) =>
        _acknowledged = offset <= _next ? Math.Max(_acknowledged, offset) : throw new WireException("what was not sent is acknowledged");

    public void End(ulong offset)
    {
        if (offset != _next || _ended)
        {
            throw new WireException("a stream ended at a wrong place");
        }

        _ended = true;
    }
}
