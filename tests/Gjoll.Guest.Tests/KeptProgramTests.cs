using System.Text;
using Gjoll.Wire;

namespace Gjoll.Guest.Tests;

public sealed class KeptProgramTests : IAsyncLifetime
{
    private HostEnd _host = null!;

    public async ValueTask InitializeAsync() => _host = await HostEnd.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Kept_LosesAndDoublesNoByteOverCutLinks()
    {
        const int Lines = 200_000;
        var program = _host.Shell($"i=0; while [ $i -lt {Lines} ]; do echo line $i; i=$((i+1)); done; exit 5", request => request with { Id = "kept", Keep = true });
        using var stored = new MemoryStream();

        for (var cut = 0; cut < 12; cut++)
        {
            await program.UntilAsync(channel => channel.Count(WireStream.Output) > 50_000);
            await _host.CutAsync();
            stored.Write(program.Bytes(WireStream.Output));
            await _host.LinkAsync();
            var offset = (ulong)stored.Length;
            program = _host.Ask(new AttachRequest("kept", offset, 0), channel => channel.StartAt(offset, 0));
            await program.ResponseAsync();
        }

        Assert.Equal((5, ExitReason.Exited), await program.FinishedAsync());
        stored.Write(program.Bytes(WireStream.Output));
        var expected = new StringBuilder();
        for (var line = 0; line < Lines; line++)
        {
            expected.Append("line ").Append(line).Append('\n');
        }

        Assert.Equal(expected.ToString(), Encoding.UTF8.GetString(stored.ToArray()));
    }

    [Fact]
    public async Task Kept_TakesTheRestOfItsInputFromTheNextClient()
    {
        var input = new byte[3 * 1024 * 1024];
        Random.Shared.NextBytes(input);
        var program = _host.Shell("sha256sum", request => request with { Id = "kept", Keep = true, OpenInput = true });
        await program.SendAsync(input.AsMemory(0, 1_500_000));
        await _host.CutAsync();
        await _host.LinkAsync();

        program = _host.Ask(new AttachRequest("kept", 0, 0));
        var received = (int)(await program.ResponseAsync()).InputReceived!.Value;
        Assert.InRange(received, 0, 1_500_000);

        // A part that the guest has already comes again, as from a client that is not sure.
        var from = Math.Max(0, received - 1000);
        for (var sent = from; sent < input.Length; sent += WireLimits.MaxData)
        {
            var offset = (ulong)sent;
            await program.UntilAsync(channel => offset + WireLimits.MaxData <= Math.Max(channel.InputAcknowledged, (ulong)received) + WireLimits.Window);
            program.SendAt(offset, input.AsSpan(sent, Math.Min(WireLimits.MaxData, input.Length - sent)));
        }

        program.EndInput();
        await program.FinishedAsync();
        Assert.StartsWith(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(input)), program.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Attach_RefusesOffsetsThatCannotBeHad()
    {
        var program = _host.Shell("echo 0123456789", request => request with { Id = "kept", Keep = true });
        await program.FinishedAsync();

        Assert.Equal(FailureCode.Invalid, (await _host.Ask(new AttachRequest("kept", 12, 0)).FailureAsync()).Code);
        Assert.Equal(FailureCode.Invalid, (await _host.Ask(new AttachRequest("kept", 5, 0)).FailureAsync()).Code);
        Assert.Equal(FailureCode.Invalid, (await _host.Ask(new AttachRequest("kept", 11, 1)).FailureAsync()).Code);
        Assert.Equal(FailureCode.NotFound, (await _host.Ask(new AttachRequest("other", 0, 0)).FailureAsync()).Code);
    }

    [Fact]
    public async Task Attach_TakesTheProgramFromWhoeverHadIt()
    {
        var first = _host.Shell("echo up; sleep 600", request => request with { Id = "kept", Keep = true }, channel => channel.Acknowledges = false);
        await first.UntilAsync(channel => channel.Count(WireStream.Output) > 0);

        var second = _host.Ask(new AttachRequest("kept", 0, 0));

        await first.Closed;
        await second.UntilAsync(channel => channel.Text == "up\n");
    }

    [Fact]
    public async Task Unkept_EndsWithItsLink()
    {
        var program = _host.Shell("echo up; sleep 987127");
        await program.UntilAsync(channel => channel.Count(WireStream.Output) > 0);

        await _host.CutAsync();

        await Eventually.TrueAsync(() => Processes.With("sleep", "987127") == 0, "it is gone");
    }

    [Fact]
    public async Task Kept_GoesOnWithoutAClientUntilItsWindowIsFull()
    {
        var file = Path.Combine(_host.Folder, "count");
        var program = _host.Shell($"head -c 400000 /dev/zero; echo a > {file}; head -c 4000000 /dev/zero; echo b > {file}", request => request with { Id = "kept", Keep = true });
        await program.ResponseAsync();
        await _host.CutAsync();
        await Eventually.TrueAsync(() => File.Exists(file), "it went on");

        await _host.LinkAsync();
        var states = (await _host.Ask(new ProgramsRequest()).ResponseAsync()).Programs!;
        Assert.Null(Assert.Single(states).Exit);
        var stored = (ulong)program.Count(WireStream.Output);
        program = _host.Ask(new AttachRequest("kept", stored, 0), channel => channel.StartAt(stored, 0));

        Assert.Equal((0, ExitReason.Exited), await program.FinishedAsync());
        Assert.Equal(4_400_000, program.Count(WireStream.Output) + (long)stored);
    }

    [Fact]
    public async Task Finished_AreForgottenWhenClosedOrTooMany()
    {
        for (var index = 0; index < WireLimits.MaxFinished + 5; index++)
        {
            var kept = _host.Shell("exit 3", request => request with { Id = $"k{index}", Keep = true });
            await kept.Exited;
        }

        await _host.CutAsync();
        await _host.LinkAsync();
        var states = (await _host.Ask(new ProgramsRequest()).ResponseAsync()).Programs!;
        Assert.Equal(WireLimits.MaxFinished, states.Count);
        Assert.DoesNotContain(states, state => state.Id == "k0");

        var last = _host.Ask(new AttachRequest(states[^1].Id, 0, 0));
        Assert.Equal((3, ExitReason.Exited), await last.FinishedAsync());
        last.Close();
        states = (await _host.Ask(new ProgramsRequest()).ResponseAsync()).Programs!;
        Assert.Equal(WireLimits.MaxFinished - 1, states.Count);
    }

    [Fact]
    public async Task Exec_RefusesAnIdThatIsInUse()
    {
        await _host.Shell("sleep 600", request => request with { Id = "kept", Keep = true }).ResponseAsync();

        Assert.Equal(FailureCode.Exists, (await _host.Shell("true", request => request with { Id = "kept" }).FailureAsync()).Code);
    }
}
