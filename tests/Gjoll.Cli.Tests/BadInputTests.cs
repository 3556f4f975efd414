namespace Gjoll.Cli.Tests;

/// <summary>What people, disks and machines do wrong: a sentence and an exit code each, and nothing on standard output.</summary>
public sealed class BadInputTests : IAsyncLifetime
{
    private readonly Commands _gjoll = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _gjoll.DisposeAsync();

    [Fact]
    public async Task Environment_IsToldAllItsErrorsAtOnce()
    {
        var file = Path.Combine(_gjoll.Folder, "broken.yaml");
        File.WriteAllText(file, """
            format: 1
            provdier: qemu
            memory: lots
            cpus: -1
            lifetime: 3 weeks
            files:
              - {path: relative, content: x}
            egress:
              allow: ["*.com"]
            """);

        var said = await _gjoll.RunAsync("up", file);

        Assert.Equal((2, ""), (said.Code, said.Text));
        foreach (var (line, words) in new[] { (2, "did you mean 'provider'?"), (3, "'memory' is 'lots'"), (4, "'cpus' is '-1'"), (5, "'lifetime'"), (7, "'path' is 'relative'"), (9, "'*.com' in 'allow'") })
        {
            Assert.Contains(said.Talk.Split('\n'), told => told.Contains($"broken.yaml:{line}: ", StringComparison.Ordinal) && told.Contains(words, StringComparison.Ordinal));
        }

        Assert.Equal("[]\n", (await _gjoll.DoAsync("list", "--json")).Text);
    }

    [Theory]
    [InlineData("No Image", 2)]
    [InlineData("nowhere", 3)]
    [InlineData("nowhere:minimal", 3)]
    [InlineData("nowhere@sha256:0000000000000000000000000000000000000000000000000000000000000000", 3)]
    public async Task Image_ThatIsNotThereIsToldFromOneThatIsDamaged(string reference, int code)
    {
        foreach (var arguments in (string[][])[["image", "rm", reference], ["image", "verify", reference], ["image", "export", reference, "file.tar"]])
        {
            var said = await _gjoll.RunAsync(arguments);
            Assert.Equal((code, ""), (said.Code, said.Text));
            Assert.False(File.Exists(Path.Combine(_gjoll.Folder, "file.tar")));
        }
    }

    [Theory]
    [InlineData("Big")]
    [InlineData("-x")]
    [InlineData("a/b")]
    [InlineData("../up")]
    [InlineData("a b")]
    [InlineData("a\nb")]
    [InlineData("a\u001b[31mb")]
    [InlineData("ü")]
    [InlineData("$(id)")]
    [InlineData("a'b\"c")]
    [InlineData("a;b|c&d")]
    [InlineData("a\u202eb")]
    [InlineData(".")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public async Task Name_ThatCannotBeIsRefusedEverywhere(string name)
    {
        var environment = _gjoll.Environment("odd");
        foreach (var arguments in (string[][])[["up", environment, $"--name={name}"], ["status", "--", name], ["down", "--", name], ["logs", "--", name]])
        {
            var said = await _gjoll.RunAsync(arguments);
            Assert.Equal((2, ""), (said.Code, said.Text));
            Assert.Contains("cannot be a sandbox's name", said.Talk, StringComparison.Ordinal);
            Assert.DoesNotContain('\u001b', said.Talk);
            Assert.DoesNotContain('\u202e', said.Talk);
        }
    }

    [Fact]
    public async Task Environment_ThatIsNotThereIsSaid()
    {
        Assert.Equal(3, (await _gjoll.RunAsync("up", "no/such.yaml")).Code);
        var near = await _gjoll.RunAsync("up", "defualt");
        Assert.Equal(3, near.Code);
        Assert.Contains("did you mean 'default'?", near.Talk, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("up --provider kvm")]
    [InlineData("stop")]
    [InlineData("cp a b")]
    [InlineData("cp one:/a two:/b")]
    [InlineData("cp :/a b")]
    [InlineData("pull some a:b:c")]
    [InlineData("stop some --grace -3")]
    [InlineData("completion tcsh")]
    [InlineData("down")]
    public async Task CommandLine_ThatCannotBeUnderstoodExitsWith2(string line)
    {
        var said = await _gjoll.RunAsync(line.Split(' '));

        Assert.Equal((2, ""), (said.Code, said.Text));
        Assert.NotEmpty(said.Talk);
    }

    [Fact]
    public async Task Image_ThatIsMissingIsSaidWithItsRemedy()
    {
        File.WriteAllText(Path.Combine(_gjoll.Folder, "machine.yaml"), "format: 1\nprovider: qemu\nimage: nowhere:minimal\n");

        var said = await _gjoll.RunAsync("up", Path.Combine(_gjoll.Folder, "machine.yaml"));

        Assert.Equal((1, ""), (said.Code, said.Text));
        Assert.NotEmpty(said.Talk);
        Assert.Equal("[]\n", (await _gjoll.DoAsync("image", "ls", "--json")).Text);
    }

    [Fact]
    public async Task Home_ThatCannotBeWrittenIsSaid()
    {
        _gjoll.Variables["GJOLL_HOME"] = "/proc/nowhere";

        var doctor = await _gjoll.RunAsync("doctor", "--provider", "bubblewrap", "--json");

        Assert.NotEqual(0, doctor.Code);
        _gjoll.Variables.Remove("GJOLL_HOME");
    }

    [Fact]
    public async Task Disk_ThatIsFullStopsTheProgramAndNotTheCommand()
    {
        await _gjoll.UpAsync("full");

        var said = await _gjoll.RunAsync("ssh", "full", "--", "sh", "-c", "head -c 600000000 /dev/zero > /work/big");

        Assert.NotEqual(0, said.Code);
        await _gjoll.DoAsync("start", "full");
        Assert.Equal("alive\n", (await _gjoll.DoAsync("ssh", "full", "--", "echo", "alive")).Text);
    }
}
