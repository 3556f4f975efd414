using System.Security.Cryptography;
using Gjoll.Wire;

namespace Gjoll.Guest.Tests;

/// <summary>What a broken or hostile other side does must cost the link at most, never the agent.</summary>
public sealed class HostileLinkTests : IAsyncLifetime
{
    private HostEnd _host = null!;

    public async ValueTask InitializeAsync() => _host = await HostEnd.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    public static TheoryData<string, byte[]> Violations => new()
    {
        { "no header", new byte[64] },
        { "an unknown kind", FrameWriter.Make((FrameKind)99, 1, []) },
        { "a frame of the guest", FrameWriter.Make(FrameKind.Welcome, 0, new byte[65]) },
        { "a request that is not JSON", FrameWriter.Make(FrameKind.Request, 77, "{"u8) },
        { "an unknown request", FrameWriter.Make(FrameKind.Request, 77, """{"op":"format"}"""u8) },
        { "an unknown member", FrameWriter.Make(FrameKind.Request, 77, """{"op":"dial","port":1,"host":"x"}"""u8) },
        { "a request of the guest's number", WireJson.Request(WireLimits.GuestBit | 1, new HealthRequest()) },
        { "a request of no channel", WireJson.Request(0, new HealthRequest()) },
        { "a long ping", FrameWriter.Make(FrameKind.Ping, 0, new byte[65]) },
        { "a short greeting", FrameWriter.Make(FrameKind.Hello, 0, [1]) },
        { "another version", FrameWriter.Make(FrameKind.Hello, 0, [2, .. new byte[32]]) },
    };

    [Theory]
    [MemberData(nameof(Violations))]
    public async Task Violation_EndsTheLinkAndNotTheAgent(string what, byte[] bytes)
    {
        Assert.NotEmpty(what);
        await _host.Shell("sleep 600", request => request with { Id = "kept", Keep = true }).ResponseAsync();

        _host.Send(bytes);

        await _host.LinkEnded;
        await _host.CutAsync();
        await _host.LinkAsync();
        await _host.Ask(new AttachRequest("kept", 0, 0)).ResponseAsync();
    }

    [Fact]
    public async Task Stream_ThatBreaksItsRulesEndsTheLink()
    {
        Action<HostChannel>[] wrongs =
        [
            channel => channel.SendAt(5, [1]),
            channel => channel.Acknowledge(WireStream.Output, 1000),
            channel => channel.Acknowledge(7, 0),
            channel => _host.Send(FrameWriter.Mark(FrameKind.End, channel.Number, WireStream.Input, 9)),
            channel => _host.Send(FrameWriter.Make(FrameKind.Data, channel.Number, new byte[8])),
            channel => _host.Send(FrameWriter.Make(FrameKind.Data, channel.Number, new byte[WireLimits.MaxData + 9])),
            channel => _host.Send(FrameWriter.Make(FrameKind.Data, channel.Number, new byte[9], WireStream.Error)),
            channel => _host.Send(FrameWriter.Make(FrameKind.Signal, channel.Number, new byte[3])),
            channel => _host.Send(WireJson.Response(channel.Number, new WireResponse())),
            channel =>
            {
                for (var offset = 0; offset <= 2 * WireLimits.Window; offset += WireLimits.MaxData)
                {
                    channel.SendAt((ulong)offset, new byte[WireLimits.MaxData]);
                }
            },
        ];
        foreach (var wrong in wrongs)
        {
            var program = _host.Shell("sleep 600", request => request with { OpenInput = true });
            await program.ResponseAsync();

            wrong(program);

            await _host.LinkEnded;
            await _host.CutAsync();
            await _host.LinkAsync();
        }

        await _host.Ask(new HealthRequest()).ResponseAsync();
    }

    [Fact]
    public async Task Garbage_BeforeTheGreetingIsSkipped()
    {
        await _host.CutAsync();
        var garbage = RandomNumberGenerator.GetBytes(1_000_000);

        await _host.LinkAsync(garbage, "gjw1"u8.ToArray(), FrameWriter.Make(FrameKind.Ping, 0, [1]), WireJson.Request(1, new HealthRequest()));

        await _host.Ask(new HealthRequest()).ResponseAsync();
    }

    [Fact]
    public async Task Greeting_WithinAFrameIsHeardWhenItIsRepeated()
    {
        await _host.CutAsync();
        var torn = FrameWriter.Make(FrameKind.Data, 1, new byte[60])[..40];

        // What is missing of the frame is taken from the first greeting.
        await _host.LinkAsync(torn, FrameWriter.Make(FrameKind.Hello, 0, Handshake.Hello(new byte[32])));

        await _host.Ask(new HealthRequest()).ResponseAsync();
    }

    [Fact]
    public async Task NothingIsDoneForAHostWithoutTheKey()
    {
        await _host.CutAsync();
        await _host.AcceptAsync();
        _host.Send(FrameWriter.Make(FrameKind.Hello, 0, Handshake.Hello(new byte[32])));
        _host.Send(FrameWriter.Make(FrameKind.Proof, 0, new byte[32]));
        var marker = Path.Combine(_host.Folder, "marker");
        _host.Send(WireJson.Request(1, HostEnd.Script($"touch {marker}")));
        _host.Send(FrameWriter.Make(FrameKind.Ping, 0, [1]));

        // Only the answer to the greeting comes; the next host, which has the key, is served.
        var buffer = new byte[4096];
        Assert.Equal(FrameWriter.HeaderSize + 65, await _host.ReceiveAsync(buffer));
        Assert.Equal((byte)FrameKind.Welcome, buffer[4]);
        await _host.CutAsync();
        await _host.LinkAsync();
        await _host.Ask(new HealthRequest()).ResponseAsync();
        Assert.False(File.Exists(marker));
    }

    [Fact]
    public async Task ManyPings_LeaveTheAgentSmall()
    {
        await _host.CutAsync();
        await _host.LinkAsync();
        for (uint number = 1; number < 20_000; number++)
        {
            _host.Send(FrameWriter.Make(FrameKind.Ping, number, new byte[64]));
        }

        await _host.Ask(new HealthRequest()).ResponseAsync();
        var status = File.ReadLines($"/proc/{_host.ProcessId}/status").First(line => line.StartsWith("VmRSS", StringComparison.Ordinal));
        Assert.InRange(int.Parse(status.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture), 1, 64 * 1024);
    }
}
