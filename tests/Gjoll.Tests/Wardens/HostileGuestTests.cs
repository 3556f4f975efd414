using Gjoll.Channel;
using Gjoll.Hosts;
using Gjoll.Wire;

namespace Gjoll.Tests.Wardens;

/// <summary>Guests that know the key and mean harm. The worst they reach is the end of their own warden, which the next command starts again.</summary>
public sealed class HostileGuestTests
{
    private const long MaxMemory = 400L << 20;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Each breaks one rule with one or a few frames; the number is the channel of a running program.</summary>
    public static TheoryData<string, string> Offences() => new()
    {
        { "unknown channel", "a channel that nobody opened" },
        { "unknown guest channel", "a channel that nobody opened" },
        { "unsolicited answer", "a channel that nobody opened" },
        { "second answer", "a second answer" },
        { "data out of order", "out of order" },
        { "data after its end", "after its end" },
        { "more than the window", "window" },
        { "acknowledges what was not sent", "acknowledged" },
        { "ends at a wrong place", "wrong place" },
        { "exits twice", "does not belong" },
        { "a stream that does not exist", "does not exist" },
        { "a kind that does not exist", "kind 77" },
        { "a greeting", "kind 1" },
        { "asks for a program", "not its to ask" },
        { "asks in broken JSON", "cannot be read" },
        { "asks with members that are not known", "cannot be read" },
        { "opens a channel twice", "opened twice" },
        { "opens too many channels", "more channels" },
        { "data without data", "without data" },
        { "a frame that is too long", "wrong header" },
        { "bytes that are no frame", "wrong header" },
        { "speaks for the warden", "for the warden" },
        { "a wrong length", "wrong length" },
    };

    [Theory]
    [MemberData(nameof(Offences))]
    public async Task Offence_CutsTheLinkAndIsNamed(string offence, string words)
    {
        await using var door = new SilentDoor();
        await using var rig = await WardenRig.StartAsync(guestConnects: true, door.Path);
        await using var other = await WardenRig.StartAsync(guestConnects: true);
        await using var good = new FakeGuest(other, new FakePrograms().Receive);
        var offended = false;
        await using var guest = new FakeGuest(rig, (link, frame) =>
        {
            if (frame.Kind == FrameKind.Request && WireJson.ReadRequest(frame) is ExecRequest && !offended)
            {
                offended = true;
                if (offence != "speaks for the warden")
                {
                    link.Sender.TryAdd(WireJson.Response(frame.Channel, new WireResponse { ProcessId = 1 }));
                }

                Offend(link.Sender, offence, frame.Channel);
            }
        });
        await rig.Channel.WaitForLinkAsync(Cancel);
        await other.Channel.WaitForLinkAsync(Cancel);
        await using var bystander = await other.Channel.ExecAsync(new ExecSpec { Command = ["cat"], OpenStandardInput = true }, Cancel);
        var warden = rig.Warden;

        var failure = await Record.ExceptionAsync(async () =>
        {
            await using var process = await rig.Channel.ExecAsync(new ExecSpec { Command = ["victim"], OpenStandardInput = true }, Cancel);
            await process.StandardError.CopyToAsync(Stream.Null, Cancel);
            await process.StandardOutput.CopyToAsync(Stream.Null, Cancel);
        });

        Assert.True(failure is GjollException or IOException, $"{failure}");
        Assert.Contains(words, failure.Message, StringComparison.Ordinal);
        Assert.Equal(warden, rig.Warden);
        Assert.True(ProcessTable.IsAlive(warden!));
        // The guest makes a new link, and the sandbox next to it has noticed nothing.
        await rig.Channel.WaitForLinkAsync(Cancel);
        Assert.Equal(2, (await rig.Channel.StateAsync(Cancel)).Links);
        await bystander.StandardInput.WriteAsync("fine"u8.ToArray(), Cancel);
        await bystander.StandardOutput.ReadExactlyAsync(new byte[4], Cancel);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Noise_NeverEndsTheWardenNorFillsIt(int seed)
    {
        await using var door = new SilentDoor();
        await using var rig = await WardenRig.StartAsync(guestConnects: true, door.Path);
        var noise = new Random(seed);
        await using var guest = new FakeGuest(rig, (link, frame) =>
        {
            // Frames that are whole and mean nothing: every kind, few channels, any payload.
            for (var count = 0; count < 50; count++)
            {
                var payload = new byte[noise.Next(4) switch { 0 => 0, 1 => 8, 2 => noise.Next(64), _ => noise.Next(70_000) }];
                noise.NextBytes(payload);
                uint[] channels = [0, 1, 2, (uint)noise.Next(), WireLimits.GuestBit, WireLimits.GuestBit | 1, frame.Channel];
                byte[] kinds = [1, 2, 3, 8, 9, 10, 16, 17, 18, 19, 20, 24, 25, 30, 31, (byte)noise.Next(256)];
                link.Sender.TryAdd((FrameKind)kinds[noise.Next(kinds.Length)], (byte)noise.Next(4), channels[noise.Next(channels.Length)], payload);
            }
        });

        for (var round = 0; round < 60; round++)
        {
            // Every answer is an error in words, or nonsense that parses; none is a hang or the end of the warden.
            using var bounded = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
            bounded.CancelAfter(TimeSpan.FromSeconds(30));
            try
            {
                await rig.Channel.HealthAsync(bounded.Token);
            }
            catch (GjollException)
            {
                // What a caller is to see.
            }
        }

        Assert.True(ProcessTable.IsAlive(rig.Warden!));
        Assert.True((await rig.Channel.StateAsync(Cancel)).Links > 5);
        Assert.InRange(rig.WardenMemory(), 1, MaxMemory);
    }

    [Fact]
    public async Task Guest_ThatNeverAnswersHoldsUpNobodyElse()
    {
        await using var rig = await WardenRig.StartAsync(guestConnects: true);
        await using var guest = new FakeGuest(rig, (_, _) => { });
        await rig.Channel.WaitForLinkAsync(Cancel);
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => rig.Channel.ExecAsync(new ExecSpec { Command = ["victim"] }, patience.Token));

        Assert.True((await rig.Channel.StateAsync(Cancel)).IsLinked);
    }

    [Fact]
    public async Task Guest_ThatNeverGreetsIsNeverLinked()
    {
        await using var rig = await WardenRig.StartAsync(guestConnects: true);
        await using var stranger = new FakeGuest(rig, (_, _) => { }, key: new byte[Handshake.KeySize]);
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(500));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => rig.Channel.WaitForLinkAsync(patience.Token));

        Assert.False((await rig.Channel.StateAsync(Cancel)).IsLinked);
    }

    [Fact]
    public async Task Guest_ThatFloodsConnectionsFillsNothing()
    {
        await using var door = new SilentDoor();
        await using var rig = await WardenRig.StartAsync(guestConnects: true, door.Path);
        var refused = 0;
        await using var guest = new FakeGuest(rig, (_, frame) => refused += frame.Kind == FrameKind.Failure ? 1 : 0);
        await rig.Channel.WaitForLinkAsync(Cancel);
        var link = guest.Link!;
        var full = new byte[WireLimits.MaxData];

        // Ten thousand, each closed again, while two hundred stay and send what nobody takes.
        for (uint id = 0; id < 10_000; id++)
        {
            await link.Sender.RoomAsync(Cancel);
            var channel = WireLimits.GuestBit | id;
            link.Sender.TryAdd(WireJson.Request(channel, new ConnectRequest(0)));
            if (id >= 200)
            {
                link.Sender.TryAdd(FrameKind.Close, 0, channel, []);
            }
        }

        await TestHost.WaitUntilAsync(() => rig.Channel.StateAsync(Cancel).Result is { Connections: > 0 and <= 256 } state && state.Connections == 200, "two hundred are open");
        for (uint id = 0; id < 200; id++)
        {
            for (ulong offset = 0; offset < WireLimits.Window; offset += WireLimits.MaxData)
            {
                await link.Sender.RoomAsync(Cancel);
                link.Sender.TryAddData(WireStream.Output, WireLimits.GuestBit | id, offset, full);
            }
        }

        // What does not fit is closed.
        await TestHost.WaitUntilAsync(() => rig.Channel.StateAsync(Cancel).Result.Connections < 200, "what is too much is cut");
        Assert.InRange(rig.WardenMemory(), 1, MaxMemory);
        Assert.Equal(1, (await rig.Channel.StateAsync(Cancel)).Links);
    }

    [Fact]
    public async Task Forward_ThatDoesNotExistIsRefusedInWords()
    {
        await using var rig = await WardenRig.StartAsync(guestConnects: true);
        var answers = System.Threading.Channels.Channel.CreateUnbounded<FailureCode>();
        await using var guest = new FakeGuest(rig, (_, frame) => answers.Writer.TryWrite(WireJson.ReadFailure(frame).Code));
        await rig.Channel.WaitForLinkAsync(Cancel);

        guest.Link!.Sender.TryAdd(WireJson.Request(WireLimits.GuestBit, new ConnectRequest(0)));
        guest.Link!.Sender.TryAdd(WireJson.Request(WireLimits.GuestBit | 1, new ConnectRequest(-1)));

        Assert.Equal(FailureCode.NotFound, await answers.Reader.ReadAsync(Cancel));
        Assert.Equal(FailureCode.NotFound, await answers.Reader.ReadAsync(Cancel));
    }

    private static void Offend(FrameSender sender, string offence, uint channel)
    {
        var data = new byte[WireLimits.MaxData];
        switch (offence)
        {
            case "unknown channel":
                sender.TryAddData(WireStream.Output, 0x7000_0000, 0, [1]);
                break;
            case "unknown guest channel":
                sender.TryAddData(WireStream.Output, WireLimits.GuestBit | 5, 0, [1]);
                break;
            case "unsolicited answer":
                sender.TryAdd(WireJson.Response(channel + 1, new WireResponse()));
                break;
            case "second answer":
                sender.TryAdd(WireJson.Response(channel, new WireResponse()));
                break;
            case "data out of order":
                sender.TryAddData(WireStream.Output, channel, 1, [1]);
                break;
            case "data after its end":
                sender.TryAdd(FrameWriter.Mark(FrameKind.End, channel, WireStream.Output, 0));
                sender.TryAddData(WireStream.Output, channel, 0, [1]);
                break;
            case "more than the window":
                for (ulong offset = 0; offset <= WireLimits.Window; offset += WireLimits.MaxData)
                {
                    sender.TryAddData(WireStream.Output, channel, offset, data);
                }

                break;
            case "acknowledges what was not sent":
                sender.TryAdd(FrameWriter.Mark(FrameKind.Ack, channel, WireStream.Input, 1));
                break;
            case "ends at a wrong place":
                sender.TryAdd(FrameWriter.Mark(FrameKind.End, channel, WireStream.Error, 9));
                break;
            case "exits twice":
                sender.TryAdd(FrameKind.Exited, 0, channel, FramePayload.Exited(0, ExitReason.Exited));
                sender.TryAdd(FrameKind.Exited, 0, channel, FramePayload.Exited(0, ExitReason.Exited));
                break;
            case "a stream that does not exist":
                sender.TryAddData(3, channel, 0, [1]);
                break;
            case "a kind that does not exist":
                sender.TryAdd((FrameKind)77, 0, channel, []);
                break;
            case "a greeting":
                sender.TryAdd(FrameKind.Hello, 0, 0, Handshake.Hello(new byte[Handshake.NonceSize]));
                break;
            case "asks for a program":
                sender.TryAdd(WireJson.Request(WireLimits.GuestBit, new HealthRequest()));
                break;
            case "asks in broken JSON":
                sender.TryAdd(FrameKind.Request, 0, WireLimits.GuestBit, "{\"op\":\"connect\""u8);
                break;
            case "asks with members that are not known":
                sender.TryAdd(FrameKind.Request, 0, WireLimits.GuestBit, "{\"op\":\"connect\",\"forward\":0,\"socket\":\"/run/x\"}"u8);
                break;
            case "opens a channel twice":
                sender.TryAdd(WireJson.Request(WireLimits.GuestBit, new ConnectRequest(0)));
                sender.TryAdd(WireJson.Request(WireLimits.GuestBit, new ConnectRequest(0)));
                break;
            case "opens too many channels":
                // The forwards' own bound refuses most of them; numbers that are in no table wait for their answer.
                for (uint id = 0; id < 100_000; id++)
                {
                    sender.TryAdd(WireJson.Request(WireLimits.GuestBit | id, new ConnectRequest((int)id)));
                }

                break;
            case "data without data":
                sender.TryAdd(FrameKind.Data, WireStream.Output, channel, new byte[8]);
                break;
            case "a frame that is too long":
                var header = FrameWriter.Make(FrameKind.Data, channel, []);
                header[15] = 0x7f;
                sender.TryAdd(header);
                break;
            case "bytes that are no frame":
                sender.TryAdd(new byte[100]);
                break;
            case "speaks for the warden":
                sender.TryAdd(WireJson.Response(channel, new WireResponse { Warden = new WardenState(true, null, 1, 1, 1, 1) }));
                break;
            case "a wrong length":
                sender.TryAdd(FrameKind.Exited, 0, channel, [1]);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(offence));
        }
    }
}
