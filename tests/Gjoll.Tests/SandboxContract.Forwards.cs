namespace Gjoll.Tests;

public abstract partial class SandboxContract
{
    // Half-closes and reads to the end, as the server wants it.
    protected const string ToPort = "printf %s \"$2\" | " + Some.Talk + " 127.0.0.1:$1";
    private const string ToSocket = "printf %s \"$2\" | " + Some.Talk + " $1";

    [Fact]
    public async Task Forward_ReachesTheHostSocketsAndTellsThemApart()
    {
        var sandbox = await Provider.CreateAsync(WithForwards(Spec(), out var tools), Cancel);
        var model = await ModelSocketAsync(sandbox);
        await using var first = new EchoServer(model, "model");
        await using var second = new EchoServer(tools, "tools");
        await sandbox.StartAsync(Cancel);

        Assert.Equal("model:one", await OutputAsync(sandbox, ToPort, "8001", "one"));
        Assert.Equal("tools:two", await OutputAsync(sandbox, ToPort, "8002", "two"));
        Assert.Equal("model:three", await OutputAsync(sandbox, ToSocket, GuestSocket, "three"));
    }

    [Fact]
    public async Task Forward_CarriesManyConnectionsAtOnce()
    {
        var sandbox = await Provider.CreateAsync(WithForwards(Spec(), out var tools), Cancel);
        var model = await ModelSocketAsync(sandbox);
        await using var first = new EchoServer(model, "model");
        await using var second = new EchoServer(tools, "tools");
        await sandbox.StartAsync(Cancel);
        const string Many = "i=0; while [ $i -lt 30 ]; do (printf %s $i | " + Some.Talk + " 127.0.0.1:8001 > /work/out.$i) & i=$((i+1)); done; wait; cat /work/out.* | tr -d '\\n'";

        var output = await OutputAsync(sandbox, Many);

        Assert.Equal(30, output.Split("model:").Length - 1);
    }

    [Fact]
    public async Task Forward_CarriesALargeBodyBothWays()
    {
        var sandbox = await Provider.CreateAsync(WithForwards(Spec(), out var tools), Cancel);
        var model = await ModelSocketAsync(sandbox);
        await using var first = new EchoServer(model, "model");
        await using var second = new EchoServer(tools, "tools");
        await sandbox.StartAsync(Cancel);

        Assert.Equal($"{(20 << 20) + "model:".Length}\n", await OutputAsync(sandbox, "head -c 20971520 /dev/zero | " + Some.Talk + " 127.0.0.1:8001 | wc -c"));
    }

    [Fact]
    public async Task Forward_WorksAgainWhenTheHostListensAnew()
    {
        var sandbox = await Provider.CreateAsync(WithForwards(Spec(), out var tools), Cancel);
        var model = await ModelSocketAsync(sandbox);
        await using var second = new EchoServer(tools, "tools");
        await using (var first = new EchoServer(model, "model"))
        {
            await sandbox.StartAsync(Cancel);
            Assert.Equal("model:one", await OutputAsync(sandbox, ToPort, "8001", "one"));
        }

        Assert.Equal("", (await ShellAsync(sandbox, ToPort, "8001", "gone")).OutputText);

        await using var anew = new EchoServer(model, "anew");
        await sandbox.RefreshForwardsAsync(Cancel);

        Assert.Equal("anew:two", await OutputAsync(sandbox, ToPort, "8001", "two"));
    }

    [Fact]
    public async Task Start_FailsWhenAHostSocketIsMissing()
    {
        var sandbox = await Provider.CreateAsync(WithForwards(Spec(), out _), Cancel);

        var failure = await Assert.ThrowsAsync<GjollException>(() => sandbox.StartAsync(Cancel));

        Assert.True(failure.IsTransient);
        Assert.Equal(SandboxState.Created, (await sandbox.InspectAsync(Cancel)).State);
    }

    public static TheoryData<SandboxSpec> Impossible() =>
    [
        Some.Spec() with { Hostname = "a b" },
        Some.Spec() with { Forwards = [new Forward.Tcp(80, "/x/y")] },
        Some.Spec() with { Forwards = [new Forward.Tcp(8080, "rel/ative")] },
        Some.Spec() with { Forwards = [new Forward.Tcp(8080, "/x/y"), new Forward.Tcp(8080, "/x/z")] },
        Some.Spec() with { Forwards = [new Forward.Unix("/home/agent/s", "/x/y")] },
        Some.Spec() with { Forwards = [new Forward.Unix("/run/../usr/s", "/x/y")] },
        Some.Spec() with { ReadOnlyFolders = [new ReadOnlyFolder("/usr", "/usr/bin")] },
        Some.Spec() with { ReadOnlyFolders = [new ReadOnlyFolder("/usr", "/opt/../etc")] },
        Some.Spec() with { ReadOnlyFolders = [new ReadOnlyFolder("/no/such", "/opt/x")] },
        Some.Spec() with { Limits = new SandboxLimits { MemoryBytes = 1 } },
        Some.Spec() with { Limits = new SandboxLimits { Lifetime = TimeSpan.Zero } },
    ];

    [Theory]
    [MemberData(nameof(Impossible), DisableDiscoveryEnumeration = true)]
    public async Task Create_RefusesWhatCanNeverWork(SandboxSpec spec)
    {
        await Assert.ThrowsAsync<ArgumentException>(() => Provider.CreateAsync(spec with { Image = Spec().Image }, Cancel));

        Assert.Empty(await Provider.ListAsync(Cancel));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a/b")]
    [InlineData("..")]
    [InlineData("A")]
    [InlineData("-a")]
    [InlineData("a-")]
    [InlineData("a\n")]
    [InlineData("a b")]
    [InlineData("0123456789012345678901234567890123456789x")]
    public void Name_RefusesWhatIsNoName(string text)
    {
        Assert.Throws<ArgumentException>(() => new SandboxName(text));
        Assert.Throws<ArgumentException>(() => new SnapshotName(text));
        Assert.False(SandboxName.TryParse(text, out _));
    }

    /// <summary>Where the guest's user may reach a socket.</summary>
    protected virtual string GuestSocket => "/run/model.sock";

    /// <summary>What a guest does, as its own user, to whatever carries its connections.</summary>
    protected const string KillForwarders = "for p in /proc/[0-9]*; do grep -qz 'gjoll-guest$' $p/cmdline && kill -9 ${p#/proc/}; done; kill -9 1; true";

    /// <summary>One socket inside the endpoint folder, one elsewhere.</summary>
    protected SandboxSpec WithForwards(SandboxSpec spec, out string tools)
    {
        tools = Path.Combine(Folder, spec.Name.Value + ".sock");
        return spec with { Forwards = [new Forward.Tcp(8001, "model.sock"), new Forward.Tcp(8002, tools), new Forward.Unix(GuestSocket, "model.sock")] };
    }

    protected static async Task<string> ModelSocketAsync(ISandbox sandbox) =>
        Path.Combine((await sandbox.InspectAsync(Cancel)).EndpointFolder, "model.sock");
}
