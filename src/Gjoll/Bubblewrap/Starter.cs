using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Gjoll.Hosts;

namespace Gjoll.Bubblewrap;

/// <summary>Brings the first process of a guest up, and says nothing is running unless all of it is.</summary>
internal sealed class Starter(BubblewrapOptions options, SandboxFolders folders, Cgroups cgroups, TimeProvider time)
{
    public async Task<RunRecord> StartAsync(SandboxName name, SandboxRecord record, CancellationToken cancellationToken)
    {
        var layer = new WritableLayer(folders, name, record);
        layer.Repair();
        EtcFolder.Write(folders.Etc(name), record.Spec.Hostname);
        Directory.CreateDirectory(folders.Stage(name));
        cgroups.Make(folders.Marker(name), record.Spec.Limits);

        var mounts = new MountPlan(record.DropUser);
        mounts.Add("folder", "etc", folders.Etc(name));
        mounts.Add("folder", "run", folders.Endpoints(name));
        foreach (var (folder, index) in record.Spec.ReadOnlyFolders.Select((folder, index) => (folder, index)))
        {
            mounts.Add("folder", "ro" + index.ToString(CultureInfo.InvariantCulture), folder.HostPath);
        }

        var endpoints = new Endpoints(folders, name);
        WriteArguments(name, BwrapArguments.For(record, mounts, layer, endpoints));
        var first = BwrapArguments.Command(record, endpoints, limitProcesses: !cgroups.LimitsProcesses);
        string[] command = record.DropUser
            ? ["unshare", "--mount", "--propagation", "private", "--", "/bin/sh", "-c", LaunchScripts.StartAsRoot, "gjoll", .. layer.Mounts(), .. mounts.ForLauncher, .. first]
            : ["/bin/sh", "-c", LaunchScripts.StartAsUser, "gjoll", .. first];

        var launcher = HostProcess.Start(command, new Dictionary<string, string>
        {
            [Marking.Variable] = folders.Marker(name),
            ["GJOLL_CGROUPS"] = string.Join('\n', cgroups.Plan(folders.Marker(name))),
            ["GJOLL_BLOCKS"] = WritableLayer.LargestFile(record),
            ["GJOLL_ARGUMENTS"] = folders.Arguments(name),
            ["GJOLL_STAGE"] = folders.Stage(name),
            ["GJOLL_UID"] = record.UserId.ToString(CultureInfo.InvariantCulture),
        });
        launcher.StandardInput.Close();

        using var bounded = new CancellationTokenSource(options.StartTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(bounded.Token, cancellationToken);
        var error = new TailBuffer(4096);
        var errors = ReadErrorsAsync(error, launcher.StandardError.BaseStream, either.Token);
        try
        {
            var init = await ReadReadyAsync(launcher, either.Token);
            if (init is null)
            {
                await errors;
                throw new GjollException($"Sandbox {name} did not start: {Explain(error.ToString())}");
            }

            await WaitForForwardsAsync(init, record, either.Token);
            return new RunRecord
            {
                Init = init,
                PidNamespace = ProcessTable.PidNamespaceOf(init.Id) ?? throw new GjollException($"Sandbox {name} ended while it started."),
                Residents = ProcessTable.DescendantsOf(init.Id),
                Deadline = time.GetUtcNow() + record.Spec.Limits.Lifetime,
            };
        }
        catch (OperationCanceledException) when (bounded.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new GjollException($"Sandbox {name} did not start within {options.StartTimeout}: {error.ToString().Trim()}", isTransient: true);
        }
        finally
        {
            await either.CancelAsync();
            await errors;
            HostProcess.Release(launcher);
        }
    }

    private static async Task ReadErrorsAsync(TailBuffer error, Stream stream, CancellationToken cancellationToken)
    {
        try
        {
            await error.ReadAllAsync(stream, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The start is decided; bubblewrap holds this pipe for as long as the sandbox lives and writes nothing more to it.
        }
    }

    private static string Explain(string error) => error.Trim() switch
    {
        var text when text.Contains("socat", StringComparison.Ordinal) => text + " (apt install socat)",
        var text => text,
    };

    /// <summary>What comes first is bubblewrap's own JSON with the number of process 1, then the keeper's word. Null when it ended before that.</summary>
    private static async Task<ProcessIdentity?> ReadReadyAsync(Process launcher, CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        while (await launcher.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line == "ready")
            {
                using var json = JsonDocument.Parse(text.ToString());
                return ProcessTable.Identify(json.RootElement.GetProperty("child-pid").GetInt32());
            }

            text.AppendLine(line);
        }

        return null;
    }

    private async Task WaitForForwardsAsync(ProcessIdentity init, SandboxRecord record, CancellationToken cancellationToken)
    {
        var wanted = record.Spec.Forwards.Select(forward => forward.GuestPort).OfType<int>().ToHashSet();
        while (wanted.Count > 0)
        {
            if (!ProcessTable.IsAlive(init))
            {
                throw new GjollException("The sandbox ended while its forwards were started.");
            }

            wanted.ExceptWith(Listening(init));
            if (wanted.Count > 0)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(3), time, cancellationToken);
            }
        }
    }

    //   0: 0100007F:1F90 00000000:0000 0A …   (state 0A is LISTEN)
    private static IEnumerable<int> Listening(ProcessIdentity init) =>
        File.ReadLines($"/proc/{init.Id}/net/tcp").Skip(1)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(fields => fields.Length > 3 && fields[3] == "0A")
            .Select(fields => int.Parse(fields[1].Split(':')[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture));

    private void WriteArguments(SandboxName name, IReadOnlyList<string> arguments)
    {
        var path = folders.Arguments(name);
        File.WriteAllText(path, string.Concat(arguments.Select(argument => argument + "\0")));
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
