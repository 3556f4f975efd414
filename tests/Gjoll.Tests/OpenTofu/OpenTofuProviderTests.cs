using Gjoll.Hosts;
using Gjoll.OpenTofu;

namespace Gjoll.Tests.OpenTofu;

/// <summary>What is peculiar to machines that somebody else's cloud makes; what every provider does is in <see cref="OpenTofuContractTests"/>.</summary>
public sealed class OpenTofuProviderTests : IAsyncLifetime
{
    private readonly string _folder = TestHost.MakeFolder();
    private readonly Dictionary<string, string> _environment = [];
    private OpenTofuProvider _provider = null!;
    private string _source = "";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Terraform(SandboxName name) => Path.Combine(_folder, "state", "sandboxes", name.Value, "terraform");

    public ValueTask InitializeAsync()
    {
        _source = ScriptedTofu.WriteSource(_folder);
        _provider = ScriptedTofu.Make(Path.Combine(_folder, "state"), _environment);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        _environment.Clear();
        using var bounded = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        var swept = await _provider.SweepAsync(_ => false, bounded.Token);
        await _provider.DisposeAsync();
        await TestHost.RunAsync("rm", "-rf", _folder);
        Assert.Empty(swept.Failures);
    }

    [Fact]
    public async Task Probe_SaysWhatItDoesNotEnforce()
    {
        var report = await _provider.ProbeAsync(Cancel);

        Assert.True(report.Works, $"{report.Reason} {report.Remedy}");
        foreach (var word in (string[])["network", "limits", "lifetime"])
        {
            Assert.Contains(report.NotContained, sentence => sentence.Contains(word, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task WhatAMachineOfSomebodyElseCannot_IsRefusedWithTheWayOut()
    {
        await RefusesAsync("copy them", () => _provider.CreateAsync(Spec() with { ReadOnlyFolders = [new ReadOnlyFolder("/usr", "/opt/tools")] }, Cancel));
        await RefusesAsync("qemu provider", () => _provider.CreateAsync(Spec() with { Start = WarmStart.Demand }, Cancel));
        Assert.Empty(await _provider.ListAsync(Cancel));

        var sandbox = await StartedAsync();
        await RefusesAsync("qemu provider", () => sandbox.SnapshotAsync(new SnapshotName("one"), Cancel));
        await RefusesAsync("qemu provider", () => sandbox.RestoreAsync(new SnapshotName("one"), Cancel));
        await RefusesAsync("qemu provider", () => _provider.ForkAsync(sandbox.Name, Spec(), Cancel));
        await RefusesAsync("sudo", () => sandbox.ExecAsync(Some.Shell("id") with { AsRoot = true }, Cancel));
        Assert.Empty(await sandbox.ListSnapshotsAsync(Cancel));
        Assert.Equal("still\n", (await sandbox.RunAsync(Some.Shell("echo still"), Cancel)).OutputText);
    }

    [Fact]
    public async Task Socket_WhereTheMachinesUserMayNotMakeOneIsRefusedAtTheStart()
    {
        var sandbox = await _provider.CreateAsync(Spec() with { Forwards = [new Forward.Unix("/run/model.sock", "model.sock")] }, Cancel);
        await using var server = new EchoServer(Path.Combine((await sandbox.InspectAsync(Cancel)).EndpointFolder, "model.sock"), "model");

        await RefusesAsync("/run/user/", () => sandbox.StartAsync(Cancel));

        // The machine is on and costs money: it is told so, used by nobody, and can be stopped.
        Assert.Equal(SandboxState.Running, (await sandbox.InspectAsync(Cancel)).State);
        await Assert.ThrowsAsync<GjollException>(() => sandbox.ExecAsync(Some.Shell("true"), Cancel));
        await sandbox.StopAsync(TimeSpan.Zero, Cancel);
        Assert.Equal(SandboxState.Stopped, (await sandbox.InspectAsync(Cancel)).State);
        Assert.False(File.Exists(Path.Combine(Terraform(sandbox.Name), "machine", "init")));
    }

    /// <summary>A program has the rights of the agent there, which is no worse than a machine that its cloud has started anew: either way a start mends it.</summary>
    [Fact]
    public async Task Start_BringsTheAgentBackThatAProgramKilled()
    {
        var sandbox = await _provider.CreateAsync(Spec() with { Forwards = [new Forward.Tcp(8001, "model.sock")] }, Cancel);
        await using var server = new EchoServer(Path.Combine((await sandbox.InspectAsync(Cancel)).EndpointFolder, "model.sock"), "model");
        await sandbox.StartAsync(Cancel);
        await Assert.ThrowsAsync<GjollException>(() => sandbox.RunAsync(Some.Shell("kill -9 $(cat ~/.gjoll/pid); sleep 60"), Cancel));

        await sandbox.StartAsync(Cancel);

        Assert.Equal("model:back", (await sandbox.RunAsync(Some.Shell("printf back | " + Some.Talk + " 127.0.0.1:8001"), Cancel)).OutputText);
    }

    [Fact]
    public async Task Start_OfARunningMachineLeavesItsProgramsAlone()
    {
        var sandbox = await StartedAsync();
        await using var program = await sandbox.ExecAsync(Some.Shell("read line; echo $line") with { OpenStandardInput = true }, Cancel);

        await sandbox.StartAsync(Cancel);
        await program.StandardInput.WriteAsync("same\n"u8.ToArray(), Cancel);

        using var reader = new StreamReader(program.StandardOutput);
        Assert.Equal("same\n", await reader.ReadToEndAsync(Cancel));
    }

    [Fact]
    public async Task Stop_EndsProgramsAtOnceHoweverLongTheCloudTakes()
    {
        var go = _environment["TOFU_WAITS"] = Path.Combine(_folder, "go");
        var sandbox = await StartedAsync();
        await using var program = await sandbox.ExecAsync(Some.Shell("cat") with { OpenStandardInput = true }, Cancel);

        var stopping = sandbox.StopAsync(TimeSpan.Zero, Cancel);
        Assert.Equal(ExitCause.SandboxStopped, (await program.WaitAsync(Cancel)).Cause);
        await Assert.ThrowsAsync<GjollException>(() => sandbox.ExecAsync(Some.Shell("true"), Cancel));
        Assert.False(stopping.IsCompleted);

        await File.WriteAllTextAsync(go, "", Cancel);
        await stopping;
        Assert.Equal(SandboxState.Stopped, (await sandbox.InspectAsync(Cancel)).State);
    }

    [Fact]
    public async Task Key_LiesInNoFileOfTheMachine()
    {
        var sandbox = await StartedAsync();

        Assert.Equal("gjoll-guest\nlink.sock\nlog\npid\n", (await sandbox.RunAsync(Some.Shell("ls ~/.gjoll"), Cancel)).OutputText);
    }

    [Fact]
    public async Task Destroy_LeavesNoProcessOfTheMachine()
    {
        var sandbox = await StartedAsync();

        await _provider.DestroyAsync(sandbox.Name, Cancel);

        var mark = $"{Marking.Variable}={new TofuFolders(Path.Combine(_folder, "state")).Marker(sandbox.Name)}";
        await TestHost.WaitUntilAsync(
            () => !TestHost.Processes().Any(id => TestHost.EnvironmentOf(id).Contains(mark)),
            "no process of the sandbox is left");
    }

    [Fact]
    public async Task Apply_ThatFailedLeavesARecordThatDestroyKnows()
    {
        _environment["TOFU_FAILS"] = "apply";
        var sandbox = await _provider.CreateAsync(Spec(), Cancel);

        var failure = await Assert.ThrowsAsync<GjollException>(() => sandbox.StartAsync(Cancel));

        Assert.Contains("quota exceeded", failure.Message, StringComparison.Ordinal);
        Assert.Contains(await _provider.ListAsync(Cancel), info => info.Name == sandbox.Name);
        var calls = Path.Combine(Terraform(sandbox.Name), "calls");
        Assert.Equal(["init", "apply", "apply", "apply"], File.ReadLines(calls).Select(line => line.Split(' ')[0]));

        // While the cloud refuses, the record stays.
        _environment["TOFU_FAILS"] = "destroy";
        await Assert.ThrowsAsync<GjollException>(() => _provider.DestroyAsync(sandbox.Name, Cancel));
        Assert.Contains(await _provider.ListAsync(Cancel), info => info.Name == sandbox.Name);
        Assert.NotEmpty((await _provider.SweepAsync(_ => false, Cancel)).Failures);

        _environment.Clear();
        Assert.Equal([sandbox.Name], (await _provider.SweepAsync(_ => false, Cancel)).Destroyed);
        Assert.False(Directory.Exists(Path.GetDirectoryName(Terraform(sandbox.Name))));
    }

    [Fact]
    public async Task Machine_WithAnotherHostKeyIsRefused()
    {
        var sandbox = await StartedAsync();
        await sandbox.StopAsync(TimeSpan.Zero, Cancel);
        var key = Path.Combine(Terraform(sandbox.Name), "machine", "etc", "host_key");
        File.Delete(key);
        File.Delete(key + ".pub");

        var refused = await Assert.ThrowsAsync<GjollException>(() => sandbox.StartAsync(Cancel));

        Assert.Contains("another host key", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task File_WithoutAStateVariableCanBeDestroyedButNotStopped()
    {
        ScriptedTofu.WriteSource(_folder, canStop: false);
        var sandbox = await StartedAsync();

        var refused = await Assert.ThrowsAsync<GjollException>(() => sandbox.StopAsync(TimeSpan.Zero, Cancel));

        Assert.Contains("gjoll_instance_state", refused.Message, StringComparison.Ordinal);
        await _provider.DestroyAsync(sandbox.Name, Cancel);
        Assert.Empty(await _provider.ListAsync(Cancel));
    }

    [Fact]
    public void Outputs_AreToldAllThatIsWrongAtOnce()
    {
        var wrong = Assert.Throws<GjollException>(() => TofuOutputs.Parse("""
            {"public_ip": {"value": "-oProxyCommand=id"}, "ssh_user": {"value": "root; id"}, "copy_files": {"value": "x"},
             "proxies": {"value": [{"name": "m", "target": "https://example.com", "auth": "magic"}]}}
            """));

        foreach (var word in new[] { "public_ip", "instance_id", "ssh_user", "copy_files", "magic" })
        {
            Assert.Contains(word, wrong.Message, StringComparison.Ordinal);
        }

        var good = TofuOutputs.Parse("""
            {"public_ip": {"value": "192.0.2.7"}, "instance_id": {"value": "i-7"}, "ssh_user": {"value": "fedora"}, "init_script": {"value": "echo hi"},
             "copy_files": {"value": [{"source": "a", "destination": "b"}]},
             "proxies": {"value": [{"name": "vertex", "target": "https://example.com", "auth": "gcp"}]}}
            """);
        Assert.Equal(("192.0.2.7", "fedora", 22, "echo hi", 18080), (good.PublicIp, good.SshUser, good.SshPort, good.InitScript, good.Proxies[0].Port));
    }

    private static async Task RefusesAsync(string remedy, Func<Task> attempt)
    {
        var refused = await Assert.ThrowsAsync<GjollException>(attempt);
        Assert.Contains("opentofu provider", refused.Message, StringComparison.Ordinal);
        Assert.Contains(remedy, refused.Message, StringComparison.Ordinal);
    }

    private SandboxSpec Spec() => Some.Spec() with { Image = _source };

    private async Task<ISandbox> StartedAsync()
    {
        var sandbox = await _provider.CreateAsync(Spec(), Cancel);
        await sandbox.StartAsync(Cancel);
        return sandbox;
    }
}
