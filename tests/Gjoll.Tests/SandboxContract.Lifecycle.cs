namespace Gjoll.Tests;

public abstract partial class SandboxContract
{
    [Fact]
    public async Task Create_RegistersWithoutStartingWhenCalled()
    {
        var spec = Spec();

        var sandbox = await Provider.CreateAsync(spec, Cancel);
        var info = await sandbox.InspectAsync(Cancel);

        Assert.Equal(SandboxState.Created, info.State);
        Assert.Equal("7", info.Labels["job"]);
        Assert.Null(info.Deadline);
        Assert.Equal(spec.Name, Assert.Single(await Provider.ListAsync(Cancel)).Name);
    }

    [Fact]
    public async Task Create_GivesTheExistingOneWhenRepeated()
    {
        var spec = Spec();
        var first = await StartedAsync(spec);
        await OutputAsync(first, "echo here > /work/mark");

        var second = await Provider.CreateAsync(spec with { Labels = new Dictionary<string, string>(spec.Labels) }, Cancel);

        Assert.Equal("here\n", await OutputAsync(second, "cat /work/mark"));
    }

    [Fact]
    public async Task Create_FailsWhenTheNameIsTakenByAnotherSpecification()
    {
        var spec = Spec();
        await Provider.CreateAsync(spec, Cancel);

        var failure = await Assert.ThrowsAsync<GjollException>(() => Provider.CreateAsync(spec with { Hostname = "other" }, Cancel));

        Assert.False(failure.IsTransient);
    }

    [Fact]
    public async Task Create_MakesOneWhenCalledManyTimesAtOnce()
    {
        var spec = Spec();

        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => Provider.CreateAsync(spec, Cancel))));

        Assert.Single(await Provider.ListAsync(Cancel));
    }

    [Fact]
    public async Task Start_ChangesNothingWhenRunning()
    {
        var sandbox = await StartedAsync();
        await OutputAsync(sandbox, "echo here > /tmp/mark");

        await Task.WhenAll(sandbox.StartAsync(Cancel), sandbox.StartAsync(Cancel));

        Assert.Equal("here\n", await OutputAsync(sandbox, "cat /tmp/mark"));
        Assert.Equal(SandboxState.Running, (await sandbox.InspectAsync(Cancel)).State);
    }

    [Fact]
    public async Task Stop_KeepsTheWritableLayerWhenStartedAgain()
    {
        var sandbox = await StartedAsync();
        await OutputAsync(sandbox, "echo home > ~/kept; echo work > /work/kept; echo gone > /tmp/lost");

        await sandbox.StopAsync(TimeSpan.Zero, Cancel);
        await sandbox.StopAsync(TimeSpan.Zero, Cancel);
        Assert.Equal(SandboxState.Stopped, (await sandbox.InspectAsync(Cancel)).State);
        await sandbox.StartAsync(Cancel);

        Assert.Equal("home\nwork\n", await OutputAsync(sandbox, "cat ~/kept /work/kept; test ! -e /tmp/lost"));
    }

    [Fact]
    public async Task Destroy_IsIdempotent()
    {
        var sandbox = await StartedAsync();

        await Provider.DestroyAsync(sandbox.Name, Cancel);
        await Provider.DestroyAsync(sandbox.Name, Cancel);

        Assert.Empty(await Provider.ListAsync(Cancel));
        Assert.Null(await Provider.FindAsync(sandbox.Name, Cancel));
        await Assert.ThrowsAsync<GjollException>(() => sandbox.InspectAsync(Cancel));
    }
}
