using Drella.Core.Sandboxes;
using Drella.Drivers.Processes;

namespace Drella.Drivers.Tests.Agents;

/// <summary>No sandbox at all: programs run as host processes with a home of their own. For our own programs in tests only.</summary>
internal sealed class HostSandbox(string agentFolder) : ISandbox, IDisposable
{
    private readonly ProcessRunner _runner = new(TimeProvider.System);

    public SandboxName Name => new("jhost-1");

    public string Home { get; } = Directory.CreateTempSubdirectory("drella-agent-").FullName;

    public string Workspace => Directory.CreateDirectory(Path.Combine(Home, "work")).FullName;

    public Dictionary<string, string> ExtraEnvironment { get; } = [];

    public List<HostProcess> Started { get; } = [];

    public string AgentFolder(string agent) => agentFolder;

    public Task<IGuestProcess> StartAsync(GuestCommand spec, CancellationToken cancellationToken)
    {
        var process = _runner.Start(new ProcessSpec
        {
            Program = spec.Command[0],
            Arguments = [.. spec.Command.Skip(1)],
            Environment = spec.Environment.Concat(ExtraEnvironment).ToDictionary(),
            WorkingFolder = spec.WorkingFolder,
        });
        Started.Add(process);
        return Task.FromResult<IGuestProcess>(new Guest(process));
    }

    public async Task WriteFileAsync(string path, Stream content, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await using var file = File.Create(path);
        await content.CopyToAsync(file, cancellationToken);
    }

    public async Task ReadFileAsync(string path, long maxBytes, Stream destination, CancellationToken cancellationToken) =>
        await destination.WriteAsync(await File.ReadAllBytesAsync(path, cancellationToken), cancellationToken);

    public void Dispose() => Directory.Delete(Home, recursive: true);

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
