using Drella.Core;
using Drella.Core.Sandboxes;

namespace Drella.Testing.Fakes;

/// <summary>Sandboxes in memory as one life of the daemon sees them.</summary>
/// <param name="machines">Everything that exists; it outlives the daemon.</param>
/// <param name="git">Where commits come from.</param>
/// <param name="gate">Latency and faults.</param>
/// <param name="agent">Plays the agent's program: ends the process it is given.</param>
/// <param name="time">When machines were made.</param>
public sealed class FakeSandboxHost(
    Dictionary<SandboxName, FakeMachine> machines, FakeGit git, PortGate gate, Func<FakeMachine, FakeProcess, GuestCommand, Task> agent, TimeProvider time) : ISandboxHost
{
    public Task<SandboxHostReport> ProbeAsync(CancellationToken cancellationToken) =>
        gate.RunAsync(Call("probe", isWrite: false), () => new SandboxHostReport("fake", Works: true, null, null, []), cancellationToken);

    public Task<ISandbox> EnsureRunningAsync(SandboxRequest request, CancellationToken cancellationToken) => gate.RunAsync<ISandbox>(
        Call("ensure", isWrite: true),
        () =>
        {
            if (!machines.TryGetValue(request.Name, out var machine))
            {
                machines[request.Name] = machine = new FakeMachine(request.Name, git);
            }

            machine.Start();
            return new Handle(gate, agent, machine);
        },
        cancellationToken);

    public Task StopAsync(SandboxName name, CancellationToken cancellationToken) =>
        gate.RunAsync(Call("stop", isWrite: true), () => machines.GetValueOrDefault(name)?.Stop(), cancellationToken);

    public Task DestroyAsync(SandboxName name, CancellationToken cancellationToken) =>
        gate.RunAsync(Call("destroy", isWrite: true), () => Remove(name), cancellationToken);

    public Task<IReadOnlyList<SandboxState>> ListAsync(CancellationToken cancellationToken) => gate.RunAsync<IReadOnlyList<SandboxState>>(
        Call("list", isWrite: false), () => [.. machines.Values.Select(machine => new SandboxState(machine.Name, machine.IsRunning, time.GetUtcNow()))], cancellationToken);

    public Task<IReadOnlyList<string>> SweepAsync(IReadOnlySet<SandboxName> keep, CancellationToken cancellationToken) => gate.RunAsync<IReadOnlyList<string>>(
        Call("sweep", isWrite: true),
        () =>
        {
            var gone = machines.Keys.Where(name => !keep.Contains(name)).ToList();
            gone.ForEach(Remove);
            return [.. gone.Select(name => name.Value)];
        },
        cancellationToken);

    private static PortCall Call(string method, bool isWrite) => new("sandbox", method, isWrite);

    private void Remove(SandboxName name)
    {
        if (machines.Remove(name, out var machine))
        {
            machine.Stop();
        }
    }

    private sealed class Handle(PortGate gate, Func<FakeMachine, FakeProcess, GuestCommand, Task> agent, FakeMachine machine) : ISandbox
    {
        public SandboxName Name => machine.Name;

        public string Home => "/home/agent";

        public string Workspace => "/home/agent/work";

        public string AgentFolder(string agent) => $"/opt/{agent}";

        public Task<IGuestProcess> StartAsync(GuestCommand spec, CancellationToken cancellationToken) =>
            gate.RunAsync<IGuestProcess>(Call("exec", isWrite: true), () => machine.Run(spec, agent), cancellationToken);

        public async Task WriteFileAsync(string path, Stream content, CancellationToken cancellationToken)
        {
            using var copy = new MemoryStream();
            await content.CopyToAsync(copy, cancellationToken);
            await gate.RunAsync(
                Call("write", isWrite: true),
                () =>
                {
                    RequireRunning();
                    machine.Write(path, copy.ToArray());
                },
                cancellationToken);
        }

        public async Task ReadFileAsync(string path, long maxBytes, Stream destination, CancellationToken cancellationToken)
        {
            var text = await gate.RunAsync(
                Call("read", isWrite: false),
                () =>
                {
                    RequireRunning();
                    return machine.Files.GetValueOrDefault(path) ?? throw new DriverException(false, $"{path} is absent") { Failure = DriverFailure.NotFoundOrNoAccess };
                },
                cancellationToken);
            await destination.WriteAsync(System.Text.Encoding.UTF8.GetBytes(text), cancellationToken);
        }

        private void RequireRunning()
        {
            if (!machine.IsRunning)
            {
                throw new DriverException(true, $"{machine.Name} does not run");
            }
        }
    }
}
