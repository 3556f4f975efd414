using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Gjoll.Channel;
using Gjoll.Hosts;

namespace Gjoll.Bubblewrap;

/// <summary>Brings the first process of a guest up, and says nothing is running unless all of it is.</summary>
internal sealed class Starter(BubblewrapOptions options, SandboxFolders folders, Cgroups cgroups, BubblewrapWarden wardens, TimeProvider time)
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
        mounts.Add("folder", "link", folders.Link(name));
        mounts.Add("file", "agent", wardens.Programs.Guest);
        foreach (var (folder, index) in record.Spec.ReadOnlyFolders.Select((folder, index) => (folder, index)))
        {
            mounts.Add("folder", "ro" + index.ToString(CultureInfo.InvariantCulture), folder.HostPath);
        }

        if (CallFilter.ForThisMachine() is { } filter)
        {
            await File.WriteAllBytesAsync(folders.Filter(name), filter, cancellationToken);
        }

        WriteArguments(name, BwrapArguments.For(record, folders.Marker(name), mounts, layer));
        var first = BwrapArguments.Command(record, limitProcesses: !cgroups.LimitsProcesses);
        string[] command = record.DropUser
            ? ["unshare", "--mount", "--propagation", "private", "--", "/bin/sh", "-c", LaunchScripts.StartAsRoot, "gjoll", .. layer.Mounts(), .. mounts.ForLauncher, .. first]
            : ["/bin/sh", "-c", LaunchScripts.StartAsUser, "gjoll", .. first];

        using var bounded = new CancellationTokenSource(options.StartTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(bounded.Token, cancellationToken);
        wardens.MakeKey(name, record);
        var launcher = HostProcess.Start(command, new Dictionary<string, string>
        {
            [Marking.Variable] = folders.Marker(name),
            ["GJOLL_CGROUPS"] = string.Join('\n', cgroups.Plan(folders.Marker(name))),
            ["GJOLL_BLOCKS"] = WritableLayer.LargestFile(record),
            ["GJOLL_ARGUMENTS"] = folders.Arguments(name),
            ["GJOLL_FILTER"] = File.Exists(folders.Filter(name)) ? folders.Filter(name) : "",
            ["GJOLL_STAGE"] = folders.Stage(name),
            ["GJOLL_UID"] = record.UserId.ToString(CultureInfo.InvariantCulture),
        });
        // Side by side: the guest tries again until its warden listens.
        var wardenStart = wardens.StartAsync(name, record, either.Token);
        launcher.StandardInput.Close();

        var error = new TailBuffer(4096);
        var errors = ReadErrorsAsync(error, launcher.StandardError.BaseStream, either.Token);
        try
        {
            var init = await ReadInitAsync(launcher, either.Token);
            if (init is null)
            {
                await errors;
                throw new GjollException($"Sandbox {name} did not start: {error.ToString().Trim()}");
            }

            var warden = await wardenStart;
            await using var channel = new GuestChannel(new StartingSandbox(folders.Control(name), init), time);
            await channel.WaitForLinkAsync(either.Token);
            await wardens.RenewAsync(name, record, channel, either.Token);
            return new RunRecord
            {
                Init = init,
                PidNamespace = ProcessTable.PidNamespaceOf(init.Id) ?? throw new GjollException($"Sandbox {name} ended while it started."),
                Residents = [],
                Warden = warden,
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
            // Whatever became of it, it must be over before what was started is ended.
            await ((Task)wardenStart).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
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

    /// <summary>Process 1, from bubblewrap's own JSON. Null when it ended before that.</summary>
    private static async Task<ProcessIdentity?> ReadInitAsync(Process launcher, CancellationToken cancellationToken)
    {
        // {
        //     "child-pid": 4711
        // }
        var text = new StringBuilder();
        while (await launcher.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
        {
            text.AppendLine(line);
            if (line == "}")
            {
                using var json = JsonDocument.Parse(text.ToString());
                return ProcessTable.Identify(json.RootElement.GetProperty("child-pid").GetInt32());
            }
        }

        return null;
    }

    private void WriteArguments(SandboxName name, IReadOnlyList<string> arguments)
    {
        var path = folders.Arguments(name);
        File.WriteAllText(path, string.Concat(arguments.Select(argument => argument + "\0")));
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
