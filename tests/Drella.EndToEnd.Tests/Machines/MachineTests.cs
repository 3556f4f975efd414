using Drella.Core.Agents;
using Drella.Core.Jobs;
using Drella.Daemon;
using Gjoll;

namespace Drella.EndToEnd.Tests.Machines;

/// <summary>The whole factory with the real Claude Code in a virtual machine. Minutes where machines are emulated, so there is one.</summary>
public sealed class MachineTests(AgentImage image) : IClassFixture<AgentImage>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Spec_BecomesAMergedPullRequestInAVirtualMachine()
    {
        await using var factory = await FactoryFixture.StartAsync(
            await File.ReadAllTextAsync(FactoryFixture.Shipped("tape.yaml"), Token),
            $"sandbox: {{ provider: qemu, image: \"{image.Reference}\", images: \"{image.StoreFolder}\", memory: 2GiB }}");
        factory.Patience = TimeSpan.FromMinutes(20);
        Assert.Equal(SandboxChoice.Qemu, factory.Daemon.Providers.Provider.Name);
        await factory.Daemon.Providers.Prepared.WaitAsync(factory.Patience, Token);

        await MainPath.TellAsync(factory, async job =>
        {
            var machine = Assert.Single(await factory.Daemon.Providers.Provider.ListAsync(Token), info => info.Name.Value == job.Sandbox);
            Assert.Equal(Gjoll.SandboxState.Stopped, machine.State);
            Assert.True(machine.WasWarm);
            Assert.Equal(SandboxChoice.Qemu, job.SandboxProvider);
            Assert.Equal(AgentOutcome.Completed, job.LastRun!.Outcome);
            await LookInsideAsync(factory, job);
        });
    }

    private static async Task LookInsideAsync(FactoryFixture factory, Job job)
    {
        var live = factory.Daemon.Core.Jobs.Find(job.Id)!;
        var visit = await factory.Daemon.Core.Visits.BeginAsync(live, "ann", "git log", Token);
        Assert.True(visit!.WasWoken);
        var machine = await factory.Daemon.Providers.Provider.FindAsync(new SandboxName(visit.Sandbox.Value), Token) ?? throw new InvalidOperationException("it is gone");

        // The disk of the stopped machine has the agent's commit, and the machine is not this one.
        var log = await machine.RunAsync(new ExecSpec { Command = ["git", "-C", "repo", "log", "--format=%s", "-1"] }, Token);
        Assert.Equal("Greet loudly when asked to\n", log.OutputText);
        var boot = await machine.RunAsync(new ExecSpec { Command = ["cat", "/proc/sys/kernel/random/boot_id"] }, Token);
        Assert.NotEqual(await File.ReadAllTextAsync("/proc/sys/kernel/random/boot_id", Token), boot.OutputText);

        await factory.Daemon.Core.Visits.EndAsync(live, Token);
        Assert.False((await factory.Daemon.Core.Visits.FindAsync(live.Job, Token))!.IsRunning);
    }
}
