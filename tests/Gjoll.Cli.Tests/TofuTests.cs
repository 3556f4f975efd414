using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Gjoll.Cli.Tests;

/// <summary>A user's <c>.tf</c> file by the real command: <c>tofu</c> on the path is a script, the machine that it makes a real sshd.</summary>
public sealed class TofuTests : IAsyncLifetime
{
    private readonly Commands _gjoll = new();

    public ValueTask InitializeAsync()
    {
        _gjoll.Variables["PATH"] = $"{Path.Combine(AppContext.BaseDirectory, "OpenTofu")}:{Environment.GetEnvironmentVariable("PATH")}";
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => _gjoll.DisposeAsync();

    [Fact]
    public async Task Machine_GoesThroughItsWholeLife()
    {
        File.WriteAllText(Path.Combine(_gjoll.Folder, "notes"), "copied by up\n");
        var up = await _gjoll.DoAsync("up", MachineFile(
            """# output "init_script" "echo made by init > /work/made; echo said by init" """,
            """# output "copy_files" [{"source": "notes", "destination": "/work/notes"}]"""), "-n", "cloud");
        Assert.Equal("cloud  running  opentofu\n", up.Text);
        Assert.Contains("tofu: Apply complete", up.Talk, StringComparison.Ordinal);
        Assert.Contains("not contained:", up.Talk, StringComparison.Ordinal);
        Assert.Contains("said by init", up.Talk, StringComparison.Ordinal);

        Assert.Equal("made by init\ncopied by up\n", (await _gjoll.DoAsync("ssh", "cloud", "--", "cat", "/work/made", "/work/notes")).Text);
        var said = await _gjoll.RunAsync(["ssh", "cloud", "--", "sh", "-c", "cat; echo trouble >&2; exit 7"], [0, 1, 255, 10]);
        Assert.Equal((7, "trouble\n"), (said.Code, said.Talk));
        Assert.Equal([0, 1, 255, 10], said.Bytes);

        var tree = Directory.CreateDirectory(Path.Combine(_gjoll.Folder, "tree", "deep"));
        await File.WriteAllBytesAsync(Path.Combine(tree.FullName, "a 'name'"), [1, 0, 255], TestContext.Current.CancellationToken);
        Assert.Equal("/work/tree\n", (await _gjoll.DoAsync("cp", "tree", "cloud:/work/")).Text);
        await _gjoll.DoAsync("cp", "cloud:/work/tree", "back");
        Assert.Equal([1, 0, 255], File.ReadAllBytes(Path.Combine(_gjoll.Folder, "back", "deep", "a 'name'")));

        Assert.Equal("cloud  stopped  opentofu\n", (await _gjoll.DoAsync("stop", "cloud", "--grace", "5")).Text);
        var refused = await _gjoll.RunAsync("ssh", "cloud", "--", "true");
        Assert.Equal((5, ""), (refused.Code, refused.Text));
        Assert.Contains("gjoll start cloud", refused.Talk, StringComparison.Ordinal);
        Assert.Equal("cloud  running  opentofu\n", (await _gjoll.DoAsync("start", "cloud")).Text);
        Assert.Equal("made by init\n", (await _gjoll.DoAsync("ssh", "cloud", "--", "cat", "/work/made")).Text);

        foreach (var (code, verb) in ((int, string[])[])[(1, ["snapshot", "cloud", "one"]), (1, ["fork", "cloud", "copy"]), (255, ["ssh", "cloud", "--root", "--", "id"])])
        {
            var cannot = await _gjoll.RunAsync(verb);
            Assert.Equal((code, ""), (cannot.Code, cannot.Text));
            Assert.Contains("The opentofu provider", cannot.Talk, StringComparison.Ordinal);
        }

        Assert.Equal("cloud\n", (await _gjoll.DoAsync("down", "cloud")).Text);
        Assert.Equal("[]\n", (await _gjoll.DoAsync("list", "--json")).Text);
        Assert.Empty(Directory.EnumerateDirectories(Path.Combine(_gjoll.Home, "opentofu", "sandboxes")));
    }

    [Fact]
    public async Task Doors_LeadBothWaysThroughTheOneConnection()
    {
        using var target = new TcpListener(IPAddress.Loopback, 0);
        target.Start();
        var seen = DoorTests.AnswerAsync(target);
        var place = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{((IPEndPoint)target.LocalEndpoint).Port}");
        File.WriteAllText(Path.Combine(_gjoll.Folder, "key"), "secret-of-the-host\n");
        await _gjoll.DoAsync("up", MachineFile(
            $$"""# output "proxies" [{"name": "model", "target": "http://{{place}}", "addresses": ["{{place}}"], "auth": "api-key", "api_key_file": "key"}]"""), "-n", "doors");

        Assert.Equal("answer", (await _gjoll.DoAsync("ssh", "doors", "--", "curl", "-s", "http://127.0.0.1:18080/v1/models")).Text);
        var request = await seen;
        Assert.StartsWith("GET /v1/models HTTP/1.1", request, StringComparison.Ordinal);
        Assert.Contains("x-api-key: secret-of-the-host\r\n", request, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("secret-of-the-host", (await _gjoll.DoAsync("ssh", "doors", "--", "sh", "-c", "env; cat /proc/*/environ 2>/dev/null; true")).Text, StringComparison.Ordinal);

        // The door is open again after a stop and a start, by another process.
        await _gjoll.DoAsync("stop", "doors", "--grace", "0");
        await _gjoll.DoAsync("start", "doors");
        var again = DoorTests.AnswerAsync(target);
        Assert.Equal("answer", (await _gjoll.DoAsync("ssh", "doors", "--", "curl", "-s", "http://127.0.0.1:18080/v1/again")).Text);
        Assert.StartsWith("GET /v1/again HTTP/1.1", await again, StringComparison.Ordinal);

        using var server = _gjoll.Start("ssh", "doors", "--", "socat", "-t", "60", "TCP-LISTEN:9100,bind=127.0.0.1,reuseaddr,fork,backlog=128", "PIPE");
        using var forward = _gjoll.Start("forward", "doors", "-L", "0:9100");
        try
        {
            var line = await forward.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
            var port = int.Parse(line!.Split(' ')[0].Split(':')[1], CultureInfo.InvariantCulture);
            string answer;
            var tries = 0;
            do
            {
                // The guest's server may not listen yet: then the connection ends with nothing.
                answer = await DoorTests.AskAsync(port);
            }
            while (answer.Length == 0 && ++tries < 500);

            Assert.Equal("hello", answer);
        }
        finally
        {
            foreach (var process in new[] { server, forward })
            {
                if (!process.HasExited)
                {
                    process.Kill();
                }
            }
        }
    }

    [Fact]
    public async Task Down_ForgetsAMachineOnlyWhenItsCloudHasDestroyedIt()
    {
        _gjoll.Variables["TOFU_FAILS"] = "apply";
        var failed = await _gjoll.RunAsync("up", MachineFile(), "-n", "costly");
        Assert.Equal((1, ""), (failed.Code, failed.Text));
        Assert.Contains("quota exceeded", failed.Talk, StringComparison.Ordinal);

        _gjoll.Variables["TOFU_FAILS"] = "destroy";
        var kept = await _gjoll.RunAsync("down", "costly");
        Assert.Equal((1, ""), (kept.Code, kept.Text));
        Assert.Contains("quota exceeded", kept.Talk, StringComparison.Ordinal);
        Assert.Equal("failed", Assert.Single((await _gjoll.DoAsync("list", "--json")).Json.EnumerateArray()).GetProperty("state").GetString());

        _gjoll.Variables.Remove("TOFU_FAILS");
        Assert.Equal("costly\n", (await _gjoll.DoAsync("down", "costly")).Text);
        Assert.Equal("[]\n", (await _gjoll.DoAsync("list", "--json")).Text);
    }

    private string MachineFile(params string[] outputs)
    {
        var file = Path.Combine(_gjoll.Folder, "machine.tf");
        File.WriteAllLines(file, ["variable \"gjoll_name\" {}", "variable \"gjoll_ssh_pubkey\" {}", "variable \"gjoll_instance_state\" {}", .. outputs]);
        return file;
    }
}
