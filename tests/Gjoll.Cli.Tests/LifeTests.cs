using Gjoll.Environments;

namespace Gjoll.Cli.Tests;

/// <summary>The verbs of a sandbox's life, by the real command over the bubblewrap provider.</summary>
public sealed class LifeTests : IAsyncLifetime
{
    private readonly Commands _gjoll = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _gjoll.DisposeAsync();

    [Fact]
    public async Task Sandbox_GoesThroughItsWholeLife()
    {
        var up = await _gjoll.UpAsync("life", "init: |\n  echo made by init > /work/made\n  echo said by init\n");
        Assert.Equal("life  running  bubblewrap\n", up.Text);
        Assert.Contains("bubblewrap works", up.Talk, StringComparison.Ordinal);
        Assert.Contains("not contained:", up.Talk, StringComparison.Ordinal);
        Assert.Contains("said by init", up.Talk, StringComparison.Ordinal);
        Assert.Equal("made by init\n", (await _gjoll.DoAsync("ssh", "life", "--", "cat", "/work/made")).Text);
        Assert.Contains("said by init", (await _gjoll.DoAsync("logs", "life")).Text, StringComparison.Ordinal);

        var list = (await _gjoll.DoAsync("list", "--json")).Json;
        Assert.Equal("running", Assert.Single(list.EnumerateArray()).GetProperty("state").GetString());

        Assert.Equal("life  stopped  bubblewrap\n", (await _gjoll.DoAsync("stop", "life", "--grace", "1")).Text);
        var refused = await _gjoll.RunAsync("ssh", "life", "--", "true");
        Assert.Equal((5, ""), (refused.Code, refused.Text));
        Assert.Contains("gjoll start life", refused.Talk, StringComparison.Ordinal);

        Assert.Equal("made by init\n", (await _gjoll.DoAsync("ssh", "life", "--wakeup", "--", "cat", "/work/made")).Text);
        Assert.Equal("stopped", (await _gjoll.DoAsync("status", "life", "--json")).Json.GetProperty("sandbox").GetProperty("state").GetString());

        Assert.Equal("life  running  bubblewrap\n", (await _gjoll.DoAsync("start", "life")).Text);
        Assert.Equal("life\n", (await _gjoll.DoAsync("down", "life")).Text);
        Assert.Equal("[]\n", (await _gjoll.DoAsync("list", "--json")).Text);
        Assert.Equal(3, (await _gjoll.RunAsync("status", "life")).Code);
        Assert.Empty(Directory.EnumerateDirectories(Path.Combine(_gjoll.Home, "bubblewrap", "sandboxes")));
    }

    [Fact]
    public async Task Program_HasItsStreamsAndItsExitCode()
    {
        await _gjoll.UpAsync("run");

        var said = await _gjoll.RunAsync(["ssh", "run", "--", "sh", "-c", "cat; echo trouble >&2; exit 7"], [0, 1, 255, 10]);

        Assert.Equal(7, said.Code);
        Assert.Equal([0, 1, 255, 10], said.Bytes);
        Assert.Equal("trouble\n", said.Talk);
        Assert.Equal(127, (await _gjoll.RunAsync("ssh", "run", "--", "no-such-program")).Code);
        Assert.Equal("6\n", (await _gjoll.RunAsync(["ssh", "run"], "echo $((2 * 3))\n"u8.ToArray())).Text);
        Assert.Equal("a b\n*\n-x\n", (await _gjoll.DoAsync("ssh", "run", "--", "printf", "%s\\n", "a b", "*", "-x")).Text);
        Assert.Equal("/home/agent\n", (await _gjoll.DoAsync("ssh", "run", "--folder", "~", "--", "pwd")).Text);
    }

    [Fact]
    public async Task Program_GivesAllOfALargeOutput()
    {
        await _gjoll.UpAsync("large");

        var said = await _gjoll.DoAsync("ssh", "large", "--", "sh", "-c", "head -c 20000000 /dev/zero");

        Assert.Equal(20_000_000, said.Bytes.Length);
    }

    [Fact]
    public async Task Interruption_ReachesTheProgramAsItsSignal()
    {
        await _gjoll.UpAsync("sig");
        using var process = _gjoll.Start("ssh", "sig", "--", "sh", "-c", "trap 'echo asked; exit 9' INT; echo ready; while :; do sleep 0.1; done");
        Assert.Equal("ready", await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));

        await HostCommand.RunAsync("/", "kill", "-INT", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture));

        Assert.Equal("asked", await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(9, process.ExitCode);
    }

    [Fact]
    public async Task Up_PutsFilesAndVariablesThere()
    {
        File.WriteAllText(Path.Combine(_gjoll.Folder, "tool.sh"), "#!/bin/sh\necho tool $GREETING\n");
        await _gjoll.UpAsync("files", """
            variables: {GREETING: hello}
            files:
              - {path: /home/agent/tool, from: tool.sh, mode: executable}
              - path: /home/agent/secret
                mode: private
                content: |
                  only mine
            """);

        Assert.Equal("tool hello\n", (await _gjoll.DoAsync("ssh", "files", "--", "/home/agent/tool")).Text);
        Assert.Equal("600 only mine", (await _gjoll.DoAsync("ssh", "files", "--", "sh", "-c", "stat -c %a ~/secret | tr '\\n' ' '; cat ~/secret")).Text);
    }

    [Fact]
    public async Task Up_KeepsWhatFailedForALookUntilItIsRemoved()
    {
        var environment = _gjoll.Environment("bad", "init: |\n  echo about to fail\n  exit 3\n");

        var failed = await _gjoll.RunAsync("up", environment);

        Assert.Equal((1, ""), (failed.Code, failed.Text));
        Assert.Contains("The init script ended with code 3.", failed.Talk, StringComparison.Ordinal);
        Assert.Equal("failed", Assert.Single((await _gjoll.DoAsync("list", "--json")).Json.EnumerateArray()).GetProperty("state").GetString());
        Assert.Contains("about to fail", (await _gjoll.DoAsync("logs", "bad")).Text, StringComparison.Ordinal);
        Assert.Equal(5, (await _gjoll.RunAsync("up", environment)).Code);
        Assert.Equal("removed  bad\n", (await _gjoll.DoAsync("gc", "--failed")).Text);
        await _gjoll.DoAsync("up", environment, "--no-init");
    }

    [Fact]
    public async Task Up_ThatIsInterruptedIsKeptForALook()
    {
        var environment = _gjoll.Environment("cut", "init: |\n  echo begun\n  sleep 1000\n");
        using var process = _gjoll.Start("up", environment);
        while (await process.StandardError.ReadLineAsync(TestContext.Current.CancellationToken) is { } line && line != "begun")
        {
        }

        await HostCommand.RunAsync("/", "kill", "-INT", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture));

        var rest = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(130, process.ExitCode);
        Assert.Contains("gjoll down cut", rest, StringComparison.Ordinal);
        var status = (await _gjoll.DoAsync("status", "cut", "--json")).Json.GetProperty("sandbox");
        Assert.Equal(("failed", "It was interrupted."), (status.GetProperty("state").GetString(), status.GetProperty("problem").GetString()));
    }

    [Fact]
    public async Task Up_ThatWasKilledIsNotSaidToGoOn()
    {
        var store = new InstanceStore(_gjoll.Home, TimeProvider.System);
        store.Write(new Instance { Name = "dead", Provider = "bubblewrap", Created = default, Stage = InstanceStage.Creating, EnvironmentFile = "/x", Environment = "format: 1\n" });

        Task<Said> StatusAsync() => _gjoll.DoAsync("status", "dead", "--json");
        using (await store.LockAsync(new SandboxName("dead"), TestContext.Current.CancellationToken))
        {
            Assert.Equal("creating", (await StatusAsync()).Json.GetProperty("sandbox").GetProperty("state").GetString());
        }

        Assert.Equal("failed", Assert.Single((await _gjoll.DoAsync("list", "--json")).Json.EnumerateArray()).GetProperty("state").GetString());
        Assert.Contains("gjoll gc", (await StatusAsync()).Json.GetProperty("sandbox").GetProperty("problem").GetString(), StringComparison.Ordinal);
        Assert.Equal("removed  dead\n", (await _gjoll.DoAsync("gc")).Text);
    }

    [Fact]
    public async Task Up_TakesNothingWeakerForAnImage()
    {
        var file = Path.Combine(_gjoll.Folder, "image.yaml");
        File.WriteAllText(file, "format: 1\nimage: nowhere:minimal\n");

        var said = await _gjoll.RunAsync("up", file);

        Assert.Equal((1, ""), (said.Code, said.Text));
        Assert.Contains("There is no image nowhere", said.Talk, StringComparison.Ordinal);
        Assert.Contains("gjoll image build", said.Talk, StringComparison.Ordinal);
        Assert.DoesNotContain("bubblewrap", said.Talk, StringComparison.Ordinal);
        Assert.Equal("[]\n", (await _gjoll.DoAsync("list", "--json")).Text);
    }

    [Fact]
    public async Task Snapshots_BringBackWhatWas()
    {
        await _gjoll.UpAsync("snap");
        await _gjoll.DoAsync("ssh", "snap", "--", "sh", "-c", "echo first > /work/state");
        await _gjoll.DoAsync("stop", "snap", "--grace", "0");
        Assert.Equal("one\n", (await _gjoll.DoAsync("snapshot", "snap", "one")).Text);
        await _gjoll.DoAsync("ssh", "snap", "--wakeup", "--", "sh", "-c", "echo second > /work/state");

        Assert.Equal(3, (await _gjoll.RunAsync("restore", "snap", "two")).Code);
        await _gjoll.DoAsync("restore", "snap", "one");

        Assert.Equal("first\n", (await _gjoll.DoAsync("ssh", "snap", "--wakeup", "--", "cat", "/work/state")).Text);
        Assert.Equal(["one"], (await _gjoll.DoAsync("snapshot", "snap", "--json")).Json.GetProperty("snapshots").EnumerateArray().Select(name => name.GetString()!));
    }

    [Fact]
    public async Task ForkAndClaim_SayWhatTheProviderCannot()
    {
        await _gjoll.UpAsync("plain");

        var fork = await _gjoll.RunAsync("fork", "plain", "copy");

        Assert.Equal((1, ""), (fork.Code, fork.Text));
        Assert.Contains("qemu provider", fork.Talk, StringComparison.Ordinal);
        Assert.Equal("plain", Assert.Single((await _gjoll.DoAsync("list", "--json")).Json.EnumerateArray()).GetProperty("name").GetString());
        Assert.Equal(5, (await _gjoll.RunAsync("fork", "plain", "plain")).Code);
    }

    [Fact]
    public async Task Up_OfTheSameNameAtOnceMakesOne()
    {
        var environment = _gjoll.Environment("same");

        var both = await Task.WhenAll(_gjoll.RunAsync("up", environment), _gjoll.RunAsync("up", environment));

        Assert.Equal([0, 5], both.Select(said => said.Code).Order());
        Assert.Equal("same", Assert.Single((await _gjoll.DoAsync("list", "--json")).Json.EnumerateArray()).GetProperty("name").GetString());
    }

    [Fact]
    public async Task Verbs_OnOneSandboxAtOnceWaitForOneAnother()
    {
        await _gjoll.UpAsync("both");

        var said = await Task.WhenAll(
            _gjoll.RunAsync("stop", "both", "--grace", "0"), _gjoll.RunAsync("start", "both"), _gjoll.RunAsync("stop", "both", "--grace", "0"), _gjoll.RunAsync("start", "both"));

        Assert.All(said, one => Assert.True(one.Code == 0, one.Talk));
        await _gjoll.DoAsync("start", "both");
        Assert.Equal("still\n", (await _gjoll.DoAsync("ssh", "both", "--", "echo", "still")).Text);
        var ends = await Task.WhenAll(_gjoll.RunAsync("down", "both"), _gjoll.RunAsync("down", "both"));
        Assert.All(ends, one => Assert.True(one.Code is 0 or 3, one.Talk));
        Assert.Contains(ends, one => one.Code == 0);
    }

    [Fact]
    public async Task Collection_RemovesWhatADeadCommandLeft()
    {
        await _gjoll.UpAsync("kept");
        using (var dying = _gjoll.Start("up", _gjoll.Environment("dying", "init: sleep 600\n")))
        {
            string? line;
            do
            {
                line = await dying.StandardError.ReadLineAsync(TestContext.Current.CancellationToken);
                Assert.NotNull(line);
            }
            while (!line.StartsWith("running the init script", StringComparison.Ordinal));
            dying.Kill();
            await dying.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        Assert.Equal("failed", (await _gjoll.DoAsync("status", "dying", "--json")).Json.GetProperty("sandbox").GetProperty("state").GetString());
        Assert.Equal("removed  dying\n", (await _gjoll.DoAsync("gc")).Text);
        Assert.Equal("kept", Assert.Single((await _gjoll.DoAsync("list", "--json")).Json.EnumerateArray()).GetProperty("name").GetString());
        Assert.Equal(["kept"], Directory.EnumerateDirectories(Path.Combine(_gjoll.Home, "bubblewrap", "sandboxes")).Select(Path.GetFileName));
    }
}
