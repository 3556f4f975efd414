using System.Text.Json;

namespace Gjoll.Cli.Tests;

/// <summary>The main path of the real command over real machines, from one boot: what it takes under translation is bounded by telling it as one story.</summary>
public sealed class MachineTests : IAsyncLifetime
{
    private readonly Commands _gjoll = new();

    private string Repository => Path.Combine(_gjoll.Folder, "repo");

    public async ValueTask InitializeAsync()
    {
        // The image and what it is made of are shared with every other test of this checkout: built once.
        var shared = Path.Combine(Root(AppContext.BaseDirectory), "artifacts", "images");
        Directory.CreateDirectory(Path.Combine(shared, "store"));
        Directory.CreateDirectory(Path.Combine(shared, "cache"));
        Directory.CreateDirectory(Path.Combine(_gjoll.Home, "cache"));
        File.CreateSymbolicLink(Path.Combine(_gjoll.Home, "images"), Path.Combine(shared, "store"));
        File.CreateSymbolicLink(Path.Combine(_gjoll.Home, "cache", "images"), Path.Combine(shared, "cache"));
        await _gjoll.DoAsync("image", "build", "--variant", "minimal");
        await HostCommand.RunAsync(_gjoll.Folder, "git", "init", "-q", "-b", "main", "repo");
        File.WriteAllText(Path.Combine(Repository, "file"), "one\n");
        await HostCommand.GitAsync(Repository, "add", ".");
        await HostCommand.GitAsync(Repository, "commit", "-q", "-m", "one");
    }

    public ValueTask DisposeAsync() => _gjoll.DisposeAsync();

    [Fact]
    public async Task Machine_GoesThroughItsWholeLifeAndLeavesNothing()
    {
        var environment = Path.Combine(_gjoll.Folder, "vm.yaml");
        File.WriteAllText(environment, """
            format: 1
            image: drellaos:minimal
            cpus: 1
            memory: 512MiB
            disk: 1GiB
            egress: {allow: [allowed.example]}
            files: [{path: /home/agent/tool, mode: executable, content: "#!/bin/sh\necho tool\n"}]
            init: |
              echo made by init > /work/made
              echo said by init
            """);

        var up = await _gjoll.DoAsync("up", environment);
        Assert.Equal("vm  running  qemu\n", up.Text);
        Assert.Contains("qemu works", up.Talk, StringComparison.Ordinal);
        Assert.Contains("said by init", up.Talk, StringComparison.Ordinal);
        // Once where machines are emulated, and not at all where they are not.
        Assert.Equal(up.Talk.Contains("TCG", StringComparison.Ordinal) ? 1 : 0, up.Talk.Split("warning: Machines run under TCG").Length - 1);
        // What stands for a line's end in a word that somebody else wrote: lines of QEMU are told apart legibly.
        Assert.DoesNotContain('·', up.Talk);
        await ProgramsAsync();
        await CopiesAsync();
        await CommitsAsync();
        Assert.Equal(5, (await _gjoll.RunAsync("image", "rm", "drellaos:minimal")).Code);

        await GuestAsync("vm", "echo first > /work/state");
        await _gjoll.DoAsync("snapshot", "vm", "one");
        await GuestAsync("vm", "echo second > /work/state");
        Assert.Equal("second\n", await ForkAsync());
        var machines = Machines();

        var claim = (await _gjoll.DoAsync("claim", environment, "-n", "warm", "--no-init", "--json")).Json;
        Assert.True(claim.GetProperty("wasWarm").GetBoolean());
        Assert.Equal("tool\n", await GuestAsync("warm", "/home/agent/tool"));

        await _gjoll.DoAsync("stop", "vm", "--grace", "1");
        var logs = (await _gjoll.DoAsync("logs", "vm")).Text;
        Assert.Contains("said by init", logs, StringComparison.Ordinal);
        Assert.Contains("denied.example", logs, StringComparison.Ordinal);
        var refused = await _gjoll.RunAsync("fork", "vm", "late");
        Assert.Equal((5, ""), (refused.Code, refused.Text));
        Assert.Contains("gjoll start vm", refused.Talk, StringComparison.Ordinal);
        await _gjoll.DoAsync("start", "vm");
        Assert.Equal("second\n", await GuestAsync("vm", "cat /work/state"));
        Assert.Contains("gjoll start vm", (await _gjoll.DoAsync("restore", "vm", "one")).Talk, StringComparison.Ordinal);
        await _gjoll.DoAsync("start", "vm");
        Assert.Equal("first\n", await GuestAsync("vm", "cat /work/state"));

        machines = [.. machines, .. Machines()];
        await _gjoll.DoAsync("down", "vm", "copy", "warm");
        await _gjoll.DoAsync("gc");
        Assert.Equal("", (await _gjoll.DoAsync("gc")).Text);
        Assert.Equal("[]\n", (await _gjoll.DoAsync("list", "--json")).Text);
        Assert.Equal(4, machines.Distinct().Count(machine => machine.Program == "qemu"));
        await GoneAsync(() => machines.Where(machine => StartOf(machine.Id) == machine.Start).Select(machine => machine.ToString()));
        await GoneAsync(() => Directory.EnumerateDirectories("/proc").Where(process => Mentions(process, _gjoll.Home)));
        Assert.Empty(Directory.EnumerateDirectories(Path.Combine(_gjoll.Home, "qemu", "sandboxes")));
        Assert.Empty(Directory.EnumerateDirectories(Path.Combine(_gjoll.Home, "sandboxes")));
    }

    private async Task ProgramsAsync()
    {
        var said = await _gjoll.RunAsync(["ssh", "vm", "--", "sh", "-c", "cat; cat /work/made >&2; exit 7"], [0, 1, 255, 10]);
        Assert.Equal(7, said.Code);
        Assert.Equal([0, 1, 255, 10], said.Bytes);
        Assert.Equal("made by init\n", said.Talk);
        Assert.Equal("0\n", (await _gjoll.DoAsync("ssh", "vm", "--root", "--", "id", "-u")).Text);
        Assert.Equal("403", await DeniedAsync("vm"));
    }

    private async Task CopiesAsync()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_gjoll.Folder, "tree", "odd \n'name")).FullName;
        File.WriteAllBytes(Path.Combine(folder, "bytes"), [0, 255, 10, 13]);
        await _gjoll.DoAsync("cp", "tree", "vm:/work/there");
        await _gjoll.DoAsync("cp", "vm:/work/there", "back");
        Assert.Equal([0, 255, 10, 13], File.ReadAllBytes(Path.Combine(_gjoll.Folder, "back", "odd \n'name", "bytes")));
    }

    private async Task CommitsAsync()
    {
        await _gjoll.DoAsync("push", "vm", "-C", "repo");
        await GuestAsync("vm", "cd project && echo two > file && git -c user.name=a -c user.email=a@b.example commit -q -a -m two");
        await _gjoll.DoAsync("pull", "vm", "main:main", "-C", "repo");
        Assert.Equal("two\n", File.ReadAllText(Path.Combine(Repository, "file")));
    }

    /// <summary>What the copy holds; it has doors of its own, and the source goes on.</summary>
    private async Task<string> ForkAsync()
    {
        Assert.Equal("copy  running  qemu\n", (await _gjoll.DoAsync("fork", "vm", "copy")).Text);
        Assert.Equal("403", await DeniedAsync("copy"));
        var held = await GuestAsync("copy", "cat /work/state; echo changed > /work/state");
        Assert.Equal(held, await GuestAsync("vm", "cat /work/state"));
        return held;
    }

    private Task<string> DeniedAsync(string name) => GuestAsync(name, "curl -s -o /dev/null -w '%{http_code}' http://denied.example/");

    private async Task<string> GuestAsync(string name, string script) => (await _gjoll.DoAsync("ssh", name, "--", "sh", "-ec", script)).Text;

    private sealed record Started(string Program, int Id, string Start);

    /// <summary>The processes that the records name.</summary>
    private List<Started> Machines() =>
    [
        .. Directory.EnumerateFiles(Path.Combine(_gjoll.Home, "qemu", "sandboxes"), "record.json", SearchOption.AllDirectories)
            .Select(file => JsonDocument.Parse(File.ReadAllBytes(file)).RootElement.GetProperty("run"))
            .Where(run => run.ValueKind == JsonValueKind.Object)
            .SelectMany(run => new[] { "qemu", "warden" }.Select(program => (program, process: run.GetProperty(program))))
            .Select(pair => new Started(pair.program, pair.process.GetProperty("id").GetInt32(), pair.process.GetProperty("startTime").ToString())),
    ];

    /// <summary>What was ended is gone when its parent has been told, which is not this test's to say when.</summary>
    private static async Task GoneAsync(Func<IEnumerable<string>> left)
    {
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        bounded.CancelAfter(TimeSpan.FromSeconds(30));
        while (left().ToList() is { Count: > 0 } still)
        {
            Assert.False(bounded.IsCancellationRequested, $"Still there: {string.Join(", ", still)}");
            await Task.Delay(50, CancellationToken.None);
        }
    }

    /// <summary>The 22nd field, counted from behind the program's name, which may hold anything; null when there is no such process, or only its end to be told.</summary>
    private static string? StartOf(int id)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{id}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X" ? null : fields[19];
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static bool Mentions(string process, string home)
    {
        try
        {
            return int.TryParse(Path.GetFileName(process), out _)
                && new[] { "cmdline", "environ" }.Any(file => File.ReadAllText(Path.Combine(process, file)).Contains(home + "/", StringComparison.Ordinal));
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static string Root(string folder) => File.Exists(Path.Combine(folder, "Drella.slnx")) ? folder : Root(Path.GetDirectoryName(folder)!);
}
