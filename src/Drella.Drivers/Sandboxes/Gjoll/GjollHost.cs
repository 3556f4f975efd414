using Drella.Core;
using Drella.Core.Sandboxes;
using G = Gjoll;

namespace Drella.Drivers.Sandboxes.Gjoll;

/// <summary>Sandboxes of the core, made by a provider of gjoll.</summary>
/// <param name="provider">The provider.</param>
/// <param name="programFolder">Host folder of an agent's program, by the agent's id.</param>
/// <param name="options">The rest; null for a provider without images.</param>
public sealed class GjollHost(G.ISandboxProvider provider, Func<string, string> programFolder, GjollHostOptions? options = null) : ISandboxHost
{
    // Where images have them too.
    private const string AgentRoot = "/opt/agents";

    private readonly GjollHostOptions options = options ?? new GjollHostOptions();
    private SandboxHostReport? report;

    public async Task<SandboxHostReport> ProbeAsync(CancellationToken cancellationToken) =>
        report ??= await GuardAsync(async () =>
        {
            var probe = options.Probed ?? await provider.ProbeAsync(cancellationToken);
            return new SandboxHostReport(provider.Name, probe.Works, probe.Reason, probe.Remedy, probe.NotContained) { Notes = [.. options.Notes, .. probe.Warnings] };
        });

    public Task<ISandbox> EnsureRunningAsync(SandboxRequest request, CancellationToken cancellationToken) => GuardAsync<ISandbox>(async () =>
    {
        // One that is there keeps what it was made with, whatever the configuration says by now: its disk holds work.
        var sandbox = await provider.FindAsync(Name(request.Name), cancellationToken) ?? await provider.CreateAsync(await SpecAsync(request, cancellationToken), cancellationToken);
        await sandbox.StartAsync(cancellationToken);
        return new GjollSandbox(sandbox, await sandbox.InspectAsync(cancellationToken), request.Name);
    });

    public Task StopAsync(SandboxName name, CancellationToken cancellationToken) => GuardAsync(async () =>
    {
        if (await provider.FindAsync(Name(name), cancellationToken) is { } sandbox)
        {
            await sandbox.StopAsync(options.Grace, cancellationToken);
        }

        return true;
    });

    public Task DestroyAsync(SandboxName name, CancellationToken cancellationToken) => GuardAsync(async () =>
    {
        await provider.DestroyAsync(Name(name), cancellationToken);
        return true;
    });

    public Task<IReadOnlyList<SandboxState>> ListAsync(CancellationToken cancellationToken) => GuardAsync<IReadOnlyList<SandboxState>>(async () =>
        [.. (await provider.ListAsync(cancellationToken)).Select(info => new SandboxState(new SandboxName(info.Name.Value), info.State == G.SandboxState.Running, info.Created, info.Image))]);

    public Task<IReadOnlyList<string>> SweepAsync(IReadOnlySet<SandboxName> keep, CancellationToken cancellationToken) => GuardAsync<IReadOnlyList<string>>(async () =>
    {
        var swept = await provider.SweepAsync(info => keep.Contains(new SandboxName(info.Name.Value)), cancellationToken);
        return [.. swept.Destroyed.Select(name => name.Value), .. swept.Strays];
    });

    /// <summary>Limits in the provider's terms.</summary>
    public static G.SandboxLimits Limits(SandboxLimits limits) => new()
    {
        MemoryBytes = limits.MemoryBytes,
        DiskBytes = limits.DiskBytes,
        MaxProcesses = limits.MaxProcesses,
        Cpus = limits.Cpus,
        Lifetime = limits.Lifetime,
    };

    internal static async Task<T> GuardAsync<T>(Func<Task<T>> action)
    {
        try
        {
            return await action();
        }
        catch (G.GjollException error)
        {
            throw new DriverException(error.IsTransient, error.Message, error);
        }
    }

    private async Task<G.SandboxSpec> SpecAsync(SandboxRequest request, CancellationToken cancellationToken) => new()
    {
        Name = Name(request.Name),
        Labels = new Dictionary<string, string> { ["owner"] = "drella" },
        Limits = Limits(request.Limits),
        Forwards = [.. request.Doorways.Select(door => new G.Forward.Tcp(door.GuestPort, door.HostSocketPath))],
        Image = options.Image,
        ReadOnlyFolders = [.. (await MissingAsync(request.Agents, cancellationToken)).Select(agent => new G.ReadOnlyFolder(ProgramFolder(agent), $"{AgentRoot}/{agent}"))],
    };

    /// <summary>The agents that the image does not hold as they are wanted.</summary>
    private async Task<IEnumerable<string>> MissingAsync(IReadOnlyList<string> agents, CancellationToken cancellationToken)
    {
        if (options is not { Image: { } reference, Images: { } images })
        {
            return agents;
        }

        var image = await images.OpenAsync(reference, cancellationToken);
        return agents.Where(agent => !image.Manifest.Agents.Any(inside => inside.Id == agent && (options.ProgramVersion(agent) is not { } version || inside.Version == version)));
    }

    private string ProgramFolder(string agent)
    {
        var folder = programFolder(agent);
        return Directory.Exists(folder)
            ? folder
            : throw new DriverException(isTransient: false, $"the program of the agent '{agent}' is not installed here; 'drella doctor' says what is missing") { Failure = DriverFailure.NotFoundOrNoAccess };
    }

    private static G.SandboxName Name(SandboxName name) => new(name.Value);

    private sealed class GjollSandbox(G.ISandbox inner, G.SandboxInfo info, SandboxName name) : ISandbox
    {
        public SandboxName Name => name;

        public string Home => info.GuestHome;

        public string Workspace => info.GuestWorkspace;

        public string AgentFolder(string agent) => $"{AgentRoot}/{agent}";

        public Task<IGuestProcess> StartAsync(GuestCommand spec, CancellationToken cancellationToken) => GuardAsync<IGuestProcess>(async () =>
            new GjollProcess(await inner.ExecAsync(
                new G.ExecSpec
                {
                    Command = spec.Command,
                    Environment = spec.Environment,
                    WorkingFolder = spec.WorkingFolder ?? info.GuestWorkspace,
                    OpenStandardInput = true,
                },
                cancellationToken)));

        public Task WriteFileAsync(string path, Stream content, CancellationToken cancellationToken) => GuardAsync(async () =>
        {
            await inner.WriteFileAsync(path, content, G.GuestFileMode.Private, cancellationToken);
            return true;
        });

        public Task ReadFileAsync(string path, long maxBytes, Stream destination, CancellationToken cancellationToken) =>
            GuardAsync(() => inner.CopyOutAsync(path, destination, maxBytes, cancellationToken));
    }

    private sealed class GjollProcess(G.IGuestProcess inner) : IGuestProcess
    {
        public Stream StandardInput => inner.StandardInput;

        public Stream StandardOutput => inner.StandardOutput;

        public Stream StandardError => inner.StandardError;

        public Task TerminateAsync(CancellationToken cancellationToken) => GuardAsync(async () =>
        {
            await inner.SignalAsync(G.GuestSignal.Terminate, cancellationToken);
            return true;
        });

        public Task<GuestExit> WaitAsync(CancellationToken cancellationToken) => GuardAsync(async () =>
        {
            var exit = await inner.WaitAsync(cancellationToken);
            return exit.Code > 128 ? new GuestExit(null, exit.Code - 128) : new GuestExit(exit.Code, null);
        });

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
