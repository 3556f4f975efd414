using System.Text;
using Gjoll.OpenTofu;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gjoll.Tests.OpenTofu;

/// <summary>The provider against a scripted <c>tofu</c> whose machine is a real sshd: no cloud is needed, and everything else is what users have.</summary>
public sealed class OpenTofuProviderTests : IAsyncLifetime
{
    private readonly string _folder = TestHost.MakeFolder();
    private readonly Dictionary<string, string> _environment = [];
    private readonly List<EchoServer> _servers = [];
    private OpenTofuProvider _provider = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Source => Path.Combine(_folder, "machine.tf");

    private string Terraform(SandboxName name) => Path.Combine(_folder, "state", "sandboxes", name.Value, "terraform");

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(Source, "variable \"gjoll_name\" {}\nvariable \"gjoll_ssh_pubkey\" {}\nvariable \"gjoll_instance_state\" {}\n", Cancel);
        _provider = Make();
        var report = await _provider.ProbeAsync(Cancel);
        Assert.True(report.Works, $"{report.Reason} {report.Remedy}");
        Assert.Contains(report.NotContained, sentence => sentence.Contains("network", StringComparison.Ordinal));
    }

    public async ValueTask DisposeAsync()
    {
        _environment.Clear();
        using var bounded = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        var swept = await _provider.SweepAsync(_ => false, bounded.Token);
        foreach (var server in _servers)
        {
            await server.DisposeAsync();
        }

        await TestHost.RunAsync("rm", "-rf", _folder);
        Assert.Empty(swept.Failures);
    }

    [Fact]
    public async Task Machine_IsMadeUsedStoppedStartedAndDestroyed()
    {
        var sandbox = await StartedAsync(new Forward.Tcp(8001, "model.sock"));
        var name = sandbox.Name;
        Assert.Equal(SandboxState.Running, (await sandbox.InspectAsync(Cancel)).State);

        var result = await sandbox.RunAsync(Some.Shell("cat; echo trouble >&2; exit 7"), "given"u8.ToArray(), Cancel);
        Assert.Equal((7, "given", "trouble\n"), (result.Exit.Code, result.OutputText, result.ErrorText));
        Assert.Equal("/home/agent agent\n", (await sandbox.RunAsync(Some.Shell("echo $HOME $USER; echo kept > /work/kept"), Cancel)).OutputText);

        await sandbox.WriteFileAsync("/work/deep/file", new MemoryStream("content"u8.ToArray()), GuestFileMode.Private, Cancel);
        var read = new MemoryStream();
        await sandbox.CopyOutAsync("/work/deep/file", read, 100, Cancel);
        Assert.Equal("content", Encoding.UTF8.GetString(read.ToArray()));

        await sandbox.StopAsync(TimeSpan.FromSeconds(1), Cancel);
        Assert.Equal(SandboxState.Stopped, (await sandbox.InspectAsync(Cancel)).State);
        await sandbox.StopAsync(TimeSpan.Zero, Cancel);
        await sandbox.StartAsync(Cancel);
        Assert.Equal("kept\n", (await sandbox.RunAsync(Some.Shell("cat /work/kept"), Cancel)).OutputText);

        await _provider.DestroyAsync(name, Cancel);
        Assert.Null(await _provider.FindAsync(name, Cancel));
        Assert.Empty(await _provider.ListAsync(Cancel));
        await TestHost.WaitUntilAsync(
            () => !TestHost.Processes().Any(id => TestHost.EnvironmentOf(id).Any(variable => variable.StartsWith("GJOLL_SANDBOX=", StringComparison.Ordinal) && variable.EndsWith($"-{name}", StringComparison.Ordinal))),
            "no process of the sandbox is left");
    }

    [Fact]
    public async Task Doors_LeadBothWays()
    {
        var sandbox = await StartedAsync(new Forward.Tcp(8001, "model.sock"));

        // Guest to host.
        Assert.Equal("host:hi", (await sandbox.RunAsync(Some.Shell("printf hi | timeout 60 socat -t 60 - TCP:127.0.0.1:8001,shut-down"), Cancel)).OutputText);

        // Host to guest.
        await using var server = await sandbox.ExecAsync(Some.Shell("exec socat -t 60 TCP-LISTEN:9001,bind=127.0.0.1,reuseaddr,fork SYSTEM:'cat; echo end'"), Cancel);
        GuestConnection? connection = null;
        for (var tries = 0; connection is null; tries++)
        {
            try
            {
                connection = await sandbox.ConnectAsync(9001, Cancel);
            }
            catch (GjollException early) when (early.IsTransient && tries < 500)
            {
                await Task.Delay(20, Cancel);
            }
        }

        await using (connection)
        {
            await connection.WriteAsync("hello"u8.ToArray(), Cancel);
            await connection.EndWritingAsync(Cancel);
            using var reader = new StreamReader(connection);
            Assert.Equal("helloend\n", await reader.ReadToEndAsync(Cancel));
        }
    }

    [Fact]
    public async Task KeptProgram_OutlivesWardenAndConnection()
    {
        var sandbox = await StartedAsync();
        await using (await sandbox.ExecAsync(Some.Shell("echo first; while [ ! -e /work/go ]; do sleep 0.05; done; echo second") with { Id = "long" }, Cancel))
        {
        }

        foreach (var id in TestHost.Processes().Where(id => Command(id) is { } line && line.Contains("gjoll-warden", StringComparison.Ordinal) && line.Contains(_folder, StringComparison.Ordinal)).ToList())
        {
            await TestHost.RunAsync("kill", "-9", id.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }

        var again = (await Make().FindAsync(sandbox.Name, Cancel))!;
        await again.RunAsync(Some.Shell("touch /work/go"), Cancel);
        await using var program = (await again.AttachAsync("long", 0, 0, Cancel))!;
        using var reader = new StreamReader(program.StandardOutput);
        Assert.Equal("first\nsecond\n", await reader.ReadToEndAsync(Cancel));
        Assert.True((await program.WaitAsync(Cancel)).Succeeded);
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
        await File.WriteAllTextAsync(Source, "variable \"gjoll_name\" {}\n", Cancel);
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

    private static string? Command(int id)
    {
        try
        {
            return File.ReadAllText($"/proc/{id}/cmdline");
        }
        catch (IOException)
        {
            return null;
        }
    }

    private OpenTofuProvider Make() => new(
        new OpenTofuOptions
        {
            StateFolder = Path.Combine(_folder, "state"), Program = Path.Combine(AppContext.BaseDirectory, "OpenTofu", "tofu"), Environment = _environment,
            ConnectTimeout = TimeSpan.FromMinutes(1), ConnectPoll = TimeSpan.FromMilliseconds(100),
        },
        TimeProvider.System,
        NullLogger<OpenTofuProvider>.Instance);

    private SandboxSpec Spec(params Forward[] forwards) => Some.Spec() with { Image = Source, Forwards = forwards };

    private async Task<ISandbox> StartedAsync(params Forward[] forwards)
    {
        var sandbox = await _provider.CreateAsync(Spec(forwards), Cancel);
        foreach (var forward in forwards)
        {
            _servers.Add(new EchoServer(Path.Combine((await sandbox.InspectAsync(Cancel)).EndpointFolder, forward.HostSocket), "host"));
        }

        await sandbox.StartAsync(Cancel);
        return sandbox;
    }
}
