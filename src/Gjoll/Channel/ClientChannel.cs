using Gjoll.Wire;

namespace Gjoll.Channel;

/// <summary>What receives the frames of one channel, in order, on the connection's own task: it must not wait.</summary>
internal interface IChannelOwner
{
    /// <summary>The answer that opened it, before anything else.</summary>
    void Open(ClientChannel channel, WireResponse answer);

    /// <summary><see cref="FrameKind.Failure"/> and <see cref="FrameKind.Close"/> are the last.</summary>
    void Receive(in Frame frame);

    /// <summary>The connection to the warden is gone. Nothing comes after it.</summary>
    void Lose(string reason);
}

/// <summary>One channel of a <see cref="WardenClient"/>.</summary>
internal sealed class ClientChannel(WardenClient client, uint number, IChannelOwner? owner)
{
    public TaskCompletionSource<WireResponse> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IChannelOwner? Owner => owner;

    public uint Number => number;

    public void Send(FrameKind kind, ReadOnlySpan<byte> payload, byte stream = 0) => client.Sender.TryAdd(kind, stream, number, payload);

    public void SendMark(FrameKind kind, byte stream, long offset) => client.Sender.TryAdd(FrameWriter.Mark(kind, number, stream, (ulong)offset));

    public void SendData(byte stream, long offset, ReadOnlySpan<byte> bytes) => client.Sender.TryAddData(stream, number, (ulong)offset, bytes);

    public ValueTask RoomAsync(CancellationToken cancellationToken) => client.Sender.RoomAsync(cancellationToken);

    /// <summary>Done with it. With <paramref name="leave"/> a kept program is left to whoever attaches next; without, one that has ended is forgotten.</summary>
    public void Close(bool leave)
    {
        client.Forget(this);
        Send(FrameKind.Close, [], leave ? (byte)1 : (byte)0);
    }
}
