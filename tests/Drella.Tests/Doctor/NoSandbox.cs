using Drella.Core.Sandboxes;
using Drella.Drivers.Processes;

namespace Drella.Tests.Doctor;

/// <summary>A sandbox that contains nothing: programs run on the host as they are. What a provider would be whose walls are gone.</summary>
internal sealed class NoSandbox(string folder, IReadOnlyDictionary<string, string> environment) : ISandboxHost, ISandbox
{
    private readonly ProcessRunner runner = new(TimeProvider.System);

    public bool IsDestroyed { get; private set; }

    public SandboxName Name => new("doctor-1");

    public string Home => folder;

    public string Workspace => folder;

    public string AgentFolder(string agent) => folder;

    public Task<SandboxHostReport> ProbeAsync(CancellationToken cancellationToken) => Task.FromResult(new SandboxHostReport("none", true, null, null, []));

    public Task<ISandbox> EnsureRunningAsync(SandboxRequest request, CancellationToken cancellationToken) => Task.FromResult<ISandbox>(this);

    public Task StopAsync(SandboxName name, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task DestroyAsync(SandboxName name, CancellationToken cancellationToken)
    {
        IsDestroyed = true;
        return Task.CompletedTask;
    }

    public Task<IReadOnlyList<SandboxState>> ListAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<SandboxState>>([]);

    public Task<IReadOnlyList<string>> SweepAsync(IReadOnlySet<SandboxName> keep, CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<string>>([]);

    public Task<IGuestProcess> StartAsync(GuestCommand spec, CancellationToken cancellationToken) => Task.FromResult<IGuestProcess>(new Guest(runner.Start(new ProcessSpec
    {
        Program = spec.Command[0],
        Arguments = [.. spec.Command.Skip(1)],
        Environment = spec.Environment.Concat(environment).ToDictionary(),
        WorkingFolder = spec.WorkingFolder,
    })));

    public Task WriteFileAsync(string path, Stream content, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task ReadFileAsync(string path, long maxBytes, Stream destination, CancellationToken cancellationToken) => throw new NotSupportedException();

    private sealed class Guest(HostProcess process) : IGuestProcess
    {
        public Stream StandardInput => process.StandardInput;

        public Stream StandardOutput => process.StandardOutput;

        public Stream StandardError => process.StandardError;

        public Task TerminateAsync(CancellationToken cancellationToken)
        {
            process.Terminate();
            return Task.CompletedTask;
        }

        public async Task<GuestExit> WaitAsync(CancellationToken cancellationToken) => new(await process.WaitAsync(cancellationToken), null);

        public async ValueTask DisposeAsync() => await process.EndAsync(TimeSpan.Zero);
    }
}
