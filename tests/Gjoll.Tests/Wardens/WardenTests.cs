using System.Security.Cryptography;
using Gjoll.Channel;
using Gjoll.Wire;

namespace Gjoll.Tests.Wardens;

/// <summary>The real warden between this library and a guest's end that keeps its word.</summary>
public sealed class WardenTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Exec_CarriesInputAndOutputWhicheverSideConnects(bool guestConnects)
    {
        await using var rig = await WardenRig.StartAsync(guestConnects);
        await using var guest = new FakeGuest(rig, new FakePrograms().Receive, guestConnects);
        await rig.Channel.WaitForLinkAsync(Cancel);
        await using var process = await rig.Channel.ExecAsync(new ExecSpec { Command = ["cat"], OpenStandardInput = true }, Cancel);
        var sent = RandomNumberGenerator.GetBytes(3_000_000);
        var reading = ReadAllAsync(process.StandardOutput);

        await process.StandardInput.WriteAsync(sent, Cancel);
        process.StandardInput.Close();

        Assert.Equal(sent, await reading);
        Assert.Equal(new ExitStatus(3, ExitCause.Exited), await process.WaitAsync(Cancel));
        Assert.Equal(42, process.ProcessId);
        Assert.Equal(sent.Length, process.OutputOffset);
    }

    [Fact]
    public async Task Programs_ShareOneConnection()
    {
        await using var rig = await WardenRig.StartAsync(guestConnects: true);
        await using var guest = new FakeGuest(rig, new FakePrograms().Receive);
        await rig.Channel.WaitForLinkAsync(Cancel);

        var outputs = await Task.WhenAll(Enumerable.Range(0, 200).Select(async index =>
        {
            await using var process = await rig.Channel.ExecAsync(new ExecSpec { Command = ["say", $"{index}"] }, Cancel);
            return System.Text.Encoding.UTF8.GetString(await ReadAllAsync(process.StandardOutput));
        }));

        Assert.Equal(Enumerable.Range(0, 200).Select(index => $"{index}"), outputs);
        var state = await rig.Channel.StateAsync(Cancel);
        Assert.Equal((true, 1, 1, rig.Warden!.Id), (state.IsLinked, state.Clients, state.Links, state.ProcessId));
    }

    [Fact]
    public async Task KeptProgram_LosesAndDoublesNothingWhenWardensAreKilled()
    {
        const int Total = 6_000_000;
        await using var rig = await WardenRig.StartAsync(guestConnects: true);
        await using var guest = new FakeGuest(rig, new FakePrograms().Receive);
        await rig.Channel.WaitForLinkAsync(Cancel);
        await using var process = await rig.Channel.ExecAsync(new ExecSpec { Command = ["count", $"{Total}"], Id = "kept" }, Cancel);
        var buffer = new byte[50_000];
        long total = 0;
        int read;

        while ((read = await process.StandardOutput.ReadAsync(buffer, Cancel)) > 0)
        {
            for (var index = 0; index < read; index++)
            {
                Assert.Equal(FakePrograms.Pattern(total + index), buffer[index]);
            }

            total += read;
            await process.AcknowledgeAsync(total, 0, Cancel);
            if (total / 1_000_000 != (total - read) / 1_000_000)
            {
                rig.KillWarden();
            }
        }

        Assert.Equal(Total, total);
        Assert.Equal(3, (await process.WaitAsync(Cancel)).Code);
        Assert.True(guest.Links > 3);
    }

    [Fact]
    public async Task KeptProgram_KeepsItsInputWhenWardensAreKilled()
    {
        await using var rig = await WardenRig.StartAsync(guestConnects: true);
        await using var guest = new FakeGuest(rig, new FakePrograms().Receive);
        await rig.Channel.WaitForLinkAsync(Cancel);
        await using var process = await rig.Channel.ExecAsync(new ExecSpec { Command = ["cat"], Id = "kept", OpenStandardInput = true }, Cancel);
        var sent = RandomNumberGenerator.GetBytes(2_000_000);
        var reading = ReadAllAsync(process);

        for (var offset = 0; offset < sent.Length; offset += 100_000)
        {
            await process.StandardInput.WriteAsync(sent.AsMemory(offset, 100_000), Cancel);
            if (offset % 500_000 == 0)
            {
                rig.KillWarden();
            }
        }

        process.StandardInput.Close();

        Assert.Equal(sent, await reading);
    }

    [Fact]
    public async Task KeptProgram_IsTakenOverFromWhereItsOwnerStored()
    {
        await using var rig = await WardenRig.StartAsync(guestConnects: true);
        await using var guest = new FakeGuest(rig, new FakePrograms().Receive);
        await rig.Channel.WaitForLinkAsync(Cancel);
        var first = await rig.Channel.ExecAsync(new ExecSpec { Command = ["count", "1000000"], Id = "kept" }, Cancel);
        await first.StandardOutput.ReadExactlyAsync(new byte[300_000], Cancel);
        await first.AcknowledgeAsync(100_000, 0, Cancel);

        var second = (await rig.Channel.AttachAsync("kept", 100_000, 0, Cancel))!;

        await Assert.ThrowsAsync<GjollException>(() => first.WaitAsync(Cancel));
        await first.DisposeAsync();
        var rest = await ReadAllAsync(second);
        Assert.Equal(900_000, rest.Length);
        Assert.Equal(FakePrograms.Pattern(100_000), rest[0]);
        Assert.Equal(1_000_000, second.OutputOffset);
        Assert.Equal("kept", Assert.Single(await rig.Channel.ListProgramsAsync(Cancel)).Id);
        await second.WaitAsync(Cancel);
        await second.DisposeAsync();
        Assert.Null(await rig.Channel.AttachAsync("kept", 0, 0, Cancel));
    }

    [Fact]
    public async Task Program_ThatIsNotKeptSaysThatItWasLost()
    {
        await using var rig = await WardenRig.StartAsync(guestConnects: true);
        await using var guest = new FakeGuest(rig, new FakePrograms().Receive);
        await rig.Channel.WaitForLinkAsync(Cancel);
        await using var process = await rig.Channel.ExecAsync(new ExecSpec { Command = ["hang"] }, Cancel);

        rig.KillWarden();

        var failure = await Assert.ThrowsAsync<GjollException>(() => process.WaitAsync(Cancel));
        Assert.True(failure.IsTransient);
        await Assert.ThrowsAsync<IOException>(async () => await process.StandardOutput.ReadExactlyAsync(new byte[1], Cancel));
        await using var next = await rig.Channel.ExecAsync(new ExecSpec { Command = ["say", "again"] }, Cancel);
        Assert.Equal("again"u8.ToArray(), await ReadAllAsync(next.StandardOutput));
    }

    [Fact]
    public async Task Program_EndsAsStoppedWhenItsSandboxIsGone()
    {
        await using var rig = await WardenRig.StartAsync(guestConnects: true);
        var guest = new FakeGuest(rig, new FakePrograms().Receive);
        await rig.Channel.WaitForLinkAsync(Cancel);
        await using var process = await rig.Channel.ExecAsync(new ExecSpec { Command = ["hang"] }, Cancel);

        rig.Stop();
        await guest.DisposeAsync();

        Assert.Equal(ExitCause.SandboxStopped, (await process.WaitAsync(Cancel)).Cause);
        Assert.Empty(await ReadAllAsync(process.StandardOutput));
    }

    [Fact]
    public async Task Newcomer_ChangesNothingUntilItHasProvedTheKey()
    {
        await using var rig = await WardenRig.StartAsync(guestConnects: true);
        await using var guest = new FakeGuest(rig, new FakePrograms().Receive);
        await rig.Channel.WaitForLinkAsync(Cancel);
        await using var process = await rig.Channel.ExecAsync(new ExecSpec { Command = ["cat"], OpenStandardInput = true }, Cancel);

        await using (var stranger = new FakeGuest(rig, (_, _) => { }, key: new byte[Handshake.KeySize]))
        {
            await process.StandardInput.WriteAsync("still here"u8.ToArray(), Cancel);
            await process.StandardOutput.ReadExactlyAsync(new byte[10], Cancel);
            Assert.Equal(0, stranger.Links);
        }

        Assert.Equal(1, (await rig.Channel.StateAsync(Cancel)).Links);
    }

    [Fact]
    public async Task Greeting_FindsTheAnswerBehindTheRestOfAnEarlierFrame()
    {
        await using var rig = await WardenRig.StartAsync(guestConnects: false);
        var rest = FrameWriter.Make(FrameKind.Data, 7, new byte[5000])[1000..];
        await using var guest = new FakeGuest(rig, new FakePrograms().Receive, guestConnects: false) { Leftover = [.. rest, .. FrameWriter.Make(FrameKind.Close, 9, [])] };

        await rig.Channel.WaitForLinkAsync(Cancel);

        await using var process = await rig.Channel.ExecAsync(new ExecSpec { Command = ["say", "found"] }, Cancel);
        Assert.Equal("found"u8.ToArray(), await ReadAllAsync(process.StandardOutput));
    }

    [Fact]
    public async Task Key_MayChangeWhileTheSandboxLives()
    {
        await using var rig = await WardenRig.StartAsync(guestConnects: true);
        var next = WardenProcess.MakeKey(Path.Combine(rig.Folder, "key.next"));

        await using var guest = new FakeGuest(rig, new FakePrograms().Receive, key: next);

        await rig.Channel.WaitForLinkAsync(Cancel);
    }

    private static async Task<byte[]> ReadAllAsync(Stream stream)
    {
        using var all = new MemoryStream();
        await stream.CopyToAsync(all, Cancel);
        return all.ToArray();
    }

    /// <summary>Of a kept program: acknowledged as it is read.</summary>
    private static async Task<byte[]> ReadAllAsync(IGuestProcess process)
    {
        using var all = new MemoryStream();
        var buffer = new byte[64 * 1024];
        int read;
        while ((read = await process.StandardOutput.ReadAsync(buffer, Cancel)) > 0)
        {
            all.Write(buffer, 0, read);
            await process.AcknowledgeAsync(process.OutputOffset, 0, Cancel);
        }

        return all.ToArray();
    }
}
