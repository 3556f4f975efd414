using Drella.Configuration;
using Drella.Core;
using Drella.Daemon;
using Drella.Drivers.Journals.Sqlite;
using Drella.Drivers.Processes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drella.Doctor;

/// <summary>What has to be there before anything can be proven.</summary>
internal static class Prerequisites
{
    private const long LeastFreeBytes = 2L << 30;

    public static async Task<IReadOnlyList<Check>> CheckAsync(DrellaConfig config, CancellationToken cancellationToken)
    {
        var processes = new ProcessRunner(TimeProvider.System);
        var checks = new List<Check>
        {
            await ToolAsync(processes, "git", "--version", "apt-get install git", cancellationToken),
            await ToolAsync(processes, "bwrap", "--version", "apt-get install bubblewrap", cancellationToken),
        };
        var programs = Programs.Locate(config.DataFolder, processes);
        checks.Add(programs.Problem() is { } problem
            ? new Check("agent", false, problem, "scripts/prerequisites installs the pinned Claude Code")
            : new Check("agent", true, "Claude Code is the pinned one", null));
        checks.Add(Disk(config));
        checks.Add(await JournalAsync(config, cancellationToken));
        if (config.Model.Upstream == "anthropic")
        {
            var isThere = !string.IsNullOrEmpty(Environment.GetEnvironmentVariable(config.Model.KeyEnvironment)) || config.Model.KeyFile is not null;
            checks.Add(new Check("model key", isThere, isThere ? "is set" : $"{config.Model.KeyEnvironment} is not set", $"set {config.Model.KeyEnvironment}, name model.key_file, or play a tape"));
        }

        return checks;
    }

    private static async Task<Check> ToolAsync(ProcessRunner processes, string program, string argument, string remedy, CancellationToken cancellationToken)
    {
        try
        {
            var result = await processes.RunCheckedAsync(new ProcessSpec { Program = program, Arguments = [argument] }, cancellationToken);
            var words = result.Text.Split('\n').FirstOrDefault(line => line.Any(char.IsAsciiDigit)) ?? "is there";
            return new Check(program, true, words.Trim(), null);
        }
        catch (DriverException error)
        {
            return new Check(program, false, error.Message.Split('\n')[0], remedy);
        }
    }

    private static Check Disk(DrellaConfig config)
    {
        var folder = config.DataFolder;
        while (!Directory.Exists(folder))
        {
            folder = Path.GetDirectoryName(folder)!;
        }

        var free = new DriveInfo(folder).AvailableFreeSpace;
        return new Check("disk", free >= LeastFreeBytes, $"{free >> 20} MiB free at {folder}", $"free at least {LeastFreeBytes >> 20} MiB");
    }

    private static async Task<Check> JournalAsync(DrellaConfig config, CancellationToken cancellationToken)
    {
        if (!File.Exists(Path.Combine(config.DataFolder, "journal.db")))
        {
            return new Check("journal", true, "none yet", null);
        }

        try
        {
            await using var store = await SqliteJournalStore.OpenReadOnlyAsync(config.DataFolder, TimeProvider.System, NullLogger<SqliteJournalStore>.Instance, cancellationToken);
            var chain = await store.Journal.VerifyAsync(null, cancellationToken);
            var holder = DataFolder.HolderOf(config.DataFolder);
            return chain.FirstBad is { } bad
                ? new Check("journal", false, $"{bad.Stream} entry {bad.Sequence}: {bad.What}", "restore a backup; 'drella verify --backup DIR' checks it first")
                : new Check("journal", true, $"{chain.Entries} entries, chain intact{(holder is null ? "" : $"; used by process {holder.ProcessId}")}", null);
        }
        catch (DriverException error)
        {
            return new Check("journal", false, error.Message, "restore a backup");
        }
    }
}
