using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Gjoll.Hosts;

namespace Gjoll.Safety;

/// <summary>Where the attacks are carried out: a hostile sandbox, a bystander, a door for each, a listener of the host that nobody may reach, and a secret.</summary>
internal sealed class HostileGround : IAsyncDisposable
{
    public const int OwnPort = 8001;
    public const int ForeignPort = 8002;
    public const string OwnDoor = "own.sock";
    public const string ForeignDoor = "foreign.sock";

    private static readonly TimeSpan CleanUp = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(60);

    private readonly List<ISandbox> _made = [];
    private readonly string? _image;
    private readonly string _folder = Directory.CreateTempSubdirectory("gjoll-safety-").FullName;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private int _count;

    private HostileGround(ISandboxProvider provider, ProviderReport report, string? image, TimeProvider time) =>
        (Provider, Report, _image, Time) = (provider, report, image, time);

    public ISandboxProvider Provider { get; }

    public ProviderReport Report { get; }

    public TimeProvider Time { get; }

    public ISandbox Hostile { get; private set; } = null!;

    public ISandbox Bystander { get; private set; } = null!;

    /// <summary>True where the guest has a root, as whom the attacks are then made.</summary>
    public bool HasRoot { get; private set; }

    /// <summary>The hostile sandbox's own door; null while it is shut.</summary>
    public HostDoor? Door { get; set; }

    public HostDoor OtherDoor { get; private set; } = null!;

    public int HostPort => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public bool WasReached => _listener.Pending();

    /// <summary>Stands in a file of the host, in this process's memory, and nowhere else.</summary>
    public string Canary { get; } = "canary-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12));

    public string SecretFile => Path.Combine(_folder, "secret");

    public static async Task<HostileGround> MakeAsync(ISandboxProvider provider, ProviderReport report, string? image, TimeProvider time, CancellationToken cancellationToken)
    {
        var ground = new HostileGround(provider, report, image, time);
        var made = false;
        try
        {
            await File.WriteAllTextAsync(ground.SecretFile, ground.Canary, cancellationToken);
            ground._listener.Start();
            ground.Hostile = await ground.CreateAsync(ground.Spec() with { Forwards = [new Forward.Tcp(OwnPort, OwnDoor)] }, cancellationToken);
            ground.Door = new HostDoor(await DoorsAsync(ground.Hostile, cancellationToken), OwnDoor, "own");
            await ground.Hostile.StartAsync(cancellationToken);
            ground.Bystander = await ground.CreateAsync(ground.Spec() with { Forwards = [new Forward.Tcp(ForeignPort, ForeignDoor)] }, cancellationToken);
            ground.OtherDoor = new HostDoor(await DoorsAsync(ground.Bystander, cancellationToken), ForeignDoor, "foreign");
            await ground.Bystander.StartAsync(cancellationToken);
            ground.HasRoot = await ground.TryRootAsync(cancellationToken);
            made = true;
            return ground;
        }
        finally
        {
            if (!made)
            {
                await ground.DisposeAsync();
            }
        }
    }

    public SandboxSpec Spec() => new()
    {
        Name = new SandboxName(string.Create(CultureInfo.InvariantCulture, $"hostile-{Environment.ProcessId}-{++_count}")),
        Image = _image,
        Labels = new Dictionary<string, string> { ["gjoll.safety"] = "1" },
        // A disk of an image is at least as large as that.
        Limits = new SandboxLimits { MemoryBytes = 512L << 20, DiskBytes = _image is null ? 256L << 20 : 1L << 30, MaxProcesses = 128, Cpus = 1, Lifetime = TimeSpan.FromHours(1) },
    };

    public async Task<ISandbox> CreateAsync(SandboxSpec spec, CancellationToken cancellationToken)
    {
        var sandbox = await Provider.CreateAsync(spec, cancellationToken);
        _made.Add(sandbox);
        return sandbox;
    }

    public async Task<ISandbox> StartedAsync(SandboxSpec spec, CancellationToken cancellationToken)
    {
        var sandbox = await CreateAsync(spec, cancellationToken);
        await sandbox.StartAsync(cancellationToken);
        return sandbox;
    }

    /// <summary>Runs a script as the mightiest user of a guest and gives what it wrote. The scripts say what they reached in lines that begin with "reached".</summary>
    public async Task<string> RunAsync(ISandbox sandbox, string script, CancellationToken cancellationToken, params string[] arguments)
    {
        var result = await sandbox.RunAsync(Script(script, arguments), cancellationToken);
        return result.OutputText;
    }

    public ExecSpec Script(string script, params string[] arguments) => new()
    {
        Command = ["/bin/sh", "-c", script, "sh", .. arguments],
        AsRoot = HasRoot,
        WorkingFolder = "/",
        Timeout = TimeSpan.FromMinutes(3),
        OutputLimit = 4 << 20,
    };

    /// <summary>What an attack by script reached; null for nothing. A script that does not come to its end proves nothing.</summary>
    public async Task<string?> ReachedAsync(string script, CancellationToken cancellationToken, params string[] arguments)
    {
        var output = await RunAsync(Hostile, script + "\necho tried", cancellationToken, arguments);
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var reached = lines.Where(line => line.StartsWith("reached", StringComparison.Ordinal)).Distinct().Take(5).ToList();
        return reached.Count > 0 ? string.Join(", ", reached) : lines.Contains("tried") ? null : "nothing is proved: the attack was cut short";
    }

    /// <summary>
    /// What an attack by connecting to addresses reached; null for nothing. The guest's own door is among them: where that is not reached, the script is
    /// no good and proves nothing.
    /// </summary>
    public async Task<string?> ConnectsAsync(string before, string after, IEnumerable<string> addresses, CancellationToken cancellationToken)
    {
        var own = FormattableString.Invariant($"127.0.0.1:{OwnPort}");
        var output = await RunAsync(Hostile, $"{before}\n{HostileScripts.Reach}\n{after}\necho tried", cancellationToken, [.. addresses, own]);
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var reached = lines.Where(line => line.StartsWith("reached", StringComparison.Ordinal) && line != "reached " + own).Take(5).ToList();
        return reached.Count > 0 ? string.Join(", ", reached)
            : !lines.Contains("tried") ? "nothing is proved: the attack was cut short"
            : !lines.Contains("reached " + own) ? "nothing is proved: not even its own door was reached" : null;
    }

    /// <summary>Null when the sandbox beside it answers as if nothing were.</summary>
    public async Task<string?> BystanderAsync(CancellationToken cancellationToken)
    {
        using var bounded = new CancellationTokenSource(AnswerPatience, Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(bounded.Token, cancellationToken);
        try
        {
            var result = await Bystander.RunAsync(
                new ExecSpec { Command = ["/bin/sh", "-c", HostileScripts.Talk + $" 127.0.0.1:{ForeignPort}"], WorkingFolder = "/" }, either.Token);
            return result.OutputText == "foreign" ? null : $"the sandbox beside it answers '{result.OutputText}'";
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return $"the sandbox beside it does not answer within {AnswerPatience.TotalSeconds:0} seconds";
        }
    }

    /// <summary>The processes on the host's side of a sandbox's wall.</summary>
    public static IReadOnlyList<ProcessIdentity> Processes(SandboxName name) =>
        [.. Marking.Marked().Where(marked => marked.Marker.EndsWith("-" + name.Value, StringComparison.Ordinal)).Select(marked => marked.Process)];

    /// <summary>What those processes hold of the host's memory.</summary>
    public static long Memory(SandboxName name) => Processes(name).Sum(process => Resident(process.Id));

    /// <summary>Bytes that a sandbox's folder takes on the host's disk.</summary>
    public static async Task<long> DiskAsync(ISandbox sandbox, CancellationToken cancellationToken)
    {
        var folder = Path.GetDirectoryName((await sandbox.InspectAsync(cancellationToken)).EndpointFolder)!;
        var text = await HostProcess.RunAsync(["du", "-s", "--block-size=1", "--", folder], cancellationToken);
        return long.Parse(text.Split('\t')[0], CultureInfo.InvariantCulture);
    }

    public static async Task<string> DoorsAsync(ISandbox sandbox, CancellationToken cancellationToken) => (await sandbox.InspectAsync(cancellationToken)).EndpointFolder;

    public async ValueTask DisposeAsync()
    {
        using var bounded = new CancellationTokenSource(CleanUp, Time);
        foreach (var sandbox in _made)
        {
            await Provider.DestroyAsync(sandbox.Name, bounded.Token);
        }

        foreach (var door in new[] { Door, OtherDoor })
        {
            if (door is not null)
            {
                await door.DisposeAsync();
            }
        }

        _listener.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<bool> TryRootAsync(CancellationToken cancellationToken)
    {
        try
        {
            var result = await Hostile.RunAsync(new ExecSpec { Command = ["id", "-u"], AsRoot = true, WorkingFolder = "/" }, cancellationToken);
            return result.OutputText == "0\n";
        }
        catch (GjollException)
        {
            // A provider whose guest has no root refuses.
            return false;
        }
    }

    private static long Resident(int id)
    {
        try
        {
            // 13824 2210 1020 …: in pages, the second is what is in memory.
            return long.Parse(File.ReadAllText($"/proc/{id}/statm").Split(' ')[1], CultureInfo.InvariantCulture) * Environment.SystemPageSize;
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
