using Gjoll.Guest.Kernel;
using Gjoll.Wire;

namespace Gjoll.Guest.Channels;

/// <summary>The channels of the link that is up, and the frames that wait for it. Both are bounded.</summary>
internal sealed class Switchboard(EventLoop loop, Segments segments)
{
    /// <summary>When answers of more than this wait, no more questions are read.</summary>
    private const int MaxAnswers = 1024 * 1024;

    private readonly Dictionary<uint, Channel> _channels = [];
    private readonly Queue<Channel> _line = new();
    private readonly Queue<byte[]> _answers = new();
    private int _answersSize;
    private int _opened;
    private uint _lastNumber;

    public EventLoop Loop => loop;

    public Segments Segments => segments;

    /// <summary>The handshake has succeeded: frames may be sent.</summary>
    public bool IsLinked { get; private set; }

    public bool IsFull => _answersSize > MaxAnswers;

    public bool HasWork => _answers.Count > 0 || _line.Count > 0;

    /// <summary>Channels that the guest opened.</summary>
    public int Opened => _opened;

    public int ByHost => _channels.Count - _opened;

    /// <summary>Which link it is: what was asked on an earlier one is not answered any more.</summary>
    public int Link { get; private set; }

    public void Linked() => IsLinked = true;

    public void Unlinked()
    {
        IsLinked = false;
        Link++;
        _answers.Clear();
        _answersSize = 0;
        var channels = _channels.Values.ToArray();
        _channels.Clear();
        _opened = 0;
        _line.Clear();
        foreach (var channel in channels)
        {
            channel.IsWaiting = false;
            channel.Number = 0;
            channel.Closed(byHost: false);
        }
    }

    public Channel? Find(uint number) => _channels.GetValueOrDefault(number);

    public void Add(uint number, Channel channel)
    {
        channel.Number = number;
        _channels.Add(number, channel);
    }

    /// <summary>Numbers a channel of the guest and asks the host for it.</summary>
    public void Open(Channel channel, WireRequest request)
    {
        do
        {
            _lastNumber = (_lastNumber + 1) & ~WireLimits.GuestBit;
        }
        while (_lastNumber == 0 || _channels.ContainsKey(_lastNumber | WireLimits.GuestBit));

        _opened++;
        Add(_lastNumber | WireLimits.GuestBit, channel);
        Answer(WireJson.Request(channel.Number, request));
    }

    public void Remove(Channel channel)
    {
        if (channel.Number != 0 && _channels.Remove(channel.Number))
        {
            _opened -= (channel.Number & WireLimits.GuestBit) != 0 ? 1 : 0;
            channel.Number = 0;
        }
    }

    /// <summary>Puts a channel with something to send into the line.</summary>
    public void Schedule(Channel channel)
    {
        if (channel.Number != 0 && !channel.IsWaiting && channel.HasWork)
        {
            channel.IsWaiting = true;
            _line.Enqueue(channel);
        }
    }

    /// <summary>Frames that go before all streams: answers, and the handshake.</summary>
    public void Answer(byte[] frame)
    {
        _answers.Enqueue(frame);
        _answersSize += frame.Length;
    }

    /// <summary>Fills the outbox, one frame of each channel in turn.</summary>
    public void Fill(Outbox outbox)
    {
        while (_answers.TryPeek(out var frame))
        {
            if (!outbox.TryAdd(frame))
            {
                return;
            }

            _answers.Dequeue();
            _answersSize -= frame.Length;
        }

        while (_line.TryPeek(out var channel))
        {
            if (channel.Number != 0 && channel.HasWork && !channel.Emit(outbox))
            {
                return;
            }

            _line.Dequeue();
            channel.IsWaiting = false;
            Schedule(channel);
        }
    }
}
