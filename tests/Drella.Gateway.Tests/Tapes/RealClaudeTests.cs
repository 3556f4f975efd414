using Drella.Gateway.Tapes;
using Drella.Gateway.Tests.Doors;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drella.Gateway.Tests.Tapes;

public sealed class RealClaudeTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Tape_DrivesClaudeThroughAnOverload()
    {
        using var claude = new Claude();
        var model = Model(claude, """
            scripts:
            - match: { role: producer }
              steps:
              - say: "I start"
                expect: { prompt: { contains: "please add" }, toolsInclude: [Bash, Write] }
                do: [ {op: write, path: "${ws}/a.txt", content: "one\n"} ]
              - fault: { status: 529, times: 1, retryAfter: 0 }
                expect: { lastToolResult: {ok: true} }
                do: [ {op: edit, path: "${ws}/a.txt", old: "one", new: "two"}, {op: shell, cmd: "cat a.txt"} ]
              - expect: { lastToolResult: {contains: two} }
                say: "Finished"
            """);
        await using var host = await TapeHost.StartAsync(model, House.Producer, 0, NullLoggerFactory.Instance, Stop);

        using var process = claude.Start(host.Address, "please add a file", Guid.NewGuid().ToString(), resume: false);
        var output = await Claude.FinishAsync(process);

        Assert.True(model.Report.IsClean, string.Join('\n', model.Report.Mismatches));
        Assert.Equal(["producer: 0", "producer: 1", "producer: 2"], model.Report.Served);
        Assert.Equal(4, model.Report.Requests);
        Assert.Contains("\"result\":\"Finished\"", output, StringComparison.Ordinal);
        Assert.Equal("two\n", await File.ReadAllTextAsync(Path.Combine(claude.Workspace, "a.txt"), Stop));
    }

    [Fact]
    public async Task Resume_GoesOnAtTheInterruptedStepWithAnotherTapeProcess()
    {
        using var claude = new Claude();
        var tape = """
            scripts:
            - match: { role: producer }
              steps:
              - do: [ {op: write, path: "${ws}/a.txt", content: "one\n"} ]
              - do: [ {op: shell, cmd: "echo $$ >> pids; test -e go || exec tail -f /dev/null"} ]
              - say: "Finished"
            """;
        var session = Guid.NewGuid().ToString();
        using var seen = new FileSystemWatcher(claude.Workspace, "pids");
        var wrote = new TaskCompletionSource();
        seen.Changed += (_, _) => wrote.TrySetResult();
        seen.EnableRaisingEvents = true;

        await using (var host = await TapeHost.StartAsync(Model(claude, tape), House.Producer, 0, NullLoggerFactory.Instance, Stop))
        {
            using var process = claude.Start(host.Address, "start", session, resume: false);
            await wrote.Task.WaitAsync(Stop);

            // The transcript is written behind the work; what is not in it yet, no resumed session can know.
            await claude.TranscriptHoldsAsync("_1_0_0", Stop);
            process.Kill();
            await process.WaitForExitAsync(Stop);
        }

        var pids = await File.ReadAllLinesAsync(Path.Combine(claude.Workspace, "pids"), Stop);
        using (var orphan = System.Diagnostics.Process.GetProcessById(int.Parse(pids[0], System.Globalization.CultureInfo.InvariantCulture)))
        {
            orphan.Kill();
        }

        await File.WriteAllTextAsync(Path.Combine(claude.Workspace, "go"), "", Stop);
        var again = Model(claude, tape);
        await using var second = await TapeHost.StartAsync(again, House.Producer, 0, NullLoggerFactory.Instance, Stop);
        using var resumed = claude.Start(second.Address, "continue", session, resume: true);
        var output = await Claude.FinishAsync(resumed);

        Assert.True(again.Report.IsClean, string.Join('\n', again.Report.Mismatches) + output);
        Assert.Equal(["producer: 1", "producer: 2"], again.Report.Served);
        Assert.Contains("\"result\":\"Finished\"", output, StringComparison.Ordinal);
    }

    private static TapeModel Model(Claude claude, string yaml) =>
        new(TapeReader.Read(yaml), _ => new TapeFacts("", "", new Dictionary<string, string> { ["ws"] = claude.Workspace }), TimeProvider.System);
}
