using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Gjoll.Hosts;

/// <summary>A process of the host behind bubblewrap's walls, and what it takes to make them.</summary>
internal sealed record JailPlan
{
    /// <summary>What the process is known by afterwards: <see cref="Marking"/>.</summary>
    public required string Marker { get; init; }

    public required IReadOnlyList<string> Cgroups { get; init; }

    /// <summary>The kernel user it becomes; with a host process that is not root it stays who that is.</summary>
    public required uint UserId { get; init; }

    public required bool DropUser { get; init; }

    /// <summary>A file for bubblewrap's arguments and a folder for its sources, both the sandbox's own.</summary>
    public required string ArgumentsFile { get; init; }

    public required string Stage { get; init; }

    public required MountPlan Mounts { get; init; }

    /// <summary>A file to hand over, opened for reading and writing, as descriptor <see cref="Jail.HandedOver"/>; null for none.</summary>
    public string? HandOver { get; init; }

    public required IReadOnlyList<string> Walls { get; init; }

    public required IReadOnlyList<string> Command { get; init; }
}

/// <summary>A jailed process just started. Disposing lets go of its streams and leaves it running, in a session of its own.</summary>
internal sealed class Jail : IAsyncDisposable
{
    public const int HandedOver = 7;

    private readonly Process _launcher;
    private readonly TailBuffer _complaints = new(4096);
    private readonly CancellationTokenSource _end = new();
    private readonly Task _reading;

    private Jail(Process launcher)
    {
        _launcher = launcher;
        _reading = _complaints.ReadAllAsync(launcher.StandardError.BaseStream, _end.Token);
    }

    /// <summary>The jailed process itself, by its number on the host. Whether it is of use, its own protocol must tell.</summary>
    public ProcessIdentity Process { get; private set; } = new(0, 0);

    /// <summary>What it, or whatever came before it, has said on standard error so far.</summary>
    public string Complaints => Printable.Of(string.Join("; ", _complaints.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)));

    public static async Task<Jail> StartAsync(JailPlan plan, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(plan.Stage);
        WriteArguments(plan);
        List<string> first = ["--", .. plan.Command];
        string[] command = plan.DropUser
            ? ["unshare", "--mount", "--propagation", "private", "--", "/bin/sh", "-c", LaunchScripts.StartAsRoot, "gjoll", .. plan.Mounts.ForLauncher, .. first]
            : ["/bin/sh", "-c", LaunchScripts.StartAsUser, "gjoll", .. first];
        var jail = new Jail(HostProcess.Start(command, new Dictionary<string, string>
        {
            [Marking.Variable] = plan.Marker,
            ["GJOLL_CGROUPS"] = string.Join('\n', plan.Cgroups),
            ["GJOLL_BLOCKS"] = "",
            ["GJOLL_ARGUMENTS"] = plan.ArgumentsFile,
            ["GJOLL_STAGE"] = plan.Stage,
            ["GJOLL_MEMORY"] = plan.HandOver ?? "",
            ["GJOLL_UID"] = plan.UserId.ToString(CultureInfo.InvariantCulture),
        }));
        var started = false;
        try
        {
            jail._launcher.StandardInput.Close();
            if (await ReadChildAsync(jail._launcher, cancellationToken) is not { } child)
            {
                await jail._reading;
                throw new GjollException($"{plan.Command[0]} could not be started: {jail.Complaints}");
            }

            jail.Process = child;
            started = true;
            return jail;
        }
        finally
        {
            if (!started)
            {
                await jail.DisposeAsync();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        HostProcess.Release(_launcher);
        _end.Dispose();
    }

    // { "child-pid": 4711 } over several lines.
    private static async Task<ProcessIdentity?> ReadChildAsync(Process launcher, CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        while (await launcher.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
        {
            text.AppendLine(line);
            if (line.Contains('}', StringComparison.Ordinal))
            {
                using var json = JsonDocument.Parse(text.ToString());
                return ProcessTable.Identify(json.RootElement.GetProperty("child-pid").GetInt32());
            }
        }

        return null;
    }

    private static void WriteArguments(JailPlan plan)
    {
        File.WriteAllText(plan.ArgumentsFile, string.Concat(plan.Walls.Select(argument => argument + "\0")));
        File.SetUnixFileMode(plan.ArgumentsFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
