using System.Diagnostics;
using System.Text;
using Drella.Core;
using Drella.Core.Journal;
using Drella.Drivers.Journals.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drella.Doctor;

/// <summary>
/// Proves that what the journal has acknowledged survives a kill: a child process writes and says which entries were acknowledged, is killed
/// in the middle of it, and every one of them must be there.
/// </summary>
internal static class JournalProbe
{
    /// <summary>The hidden verb under which this program is its own child.</summary>
    public const string Verb = "probe-journal-writer";

    private const string Name = "journal survives a kill";
    private const int Enough = 200;

    public static async Task<Check> RunAsync(TimeProvider time, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("drella-doctor-").FullName;
        try
        {
            var acknowledged = await WriteAndKillAsync(folder, cancellationToken);
            return await JudgeAsync(folder, acknowledged, time, cancellationToken);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Looks for the acknowledged entries in what the killed writer left.</summary>
    public static async Task<Check> JudgeAsync(string folder, long acknowledged, TimeProvider time, CancellationToken cancellationToken)
    {
        const string Remedy = "the disk does not keep what it says it keeps; use another one";
        try
        {
            using var data = DataFolder.Open(folder, time);
            await using var store = await SqliteJournalStore.OpenAsync(new SqliteJournalOptions { Folder = data }, time, NullLogger<SqliteJournalStore>.Instance, cancellationToken);
            var chain = await store.Journal.VerifyAsync(null, cancellationToken);
            return new Check(
                Name,
                chain.FirstBad is null && chain.Entries >= acknowledged && acknowledged >= Enough,
                $"{acknowledged} entries acknowledged before kill -9, {chain.Entries} there after it, chain {(chain.FirstBad is null ? "intact" : "broken")}",
                Remedy);
        }
        catch (DriverException error)
        {
            return new Check(Name, false, $"{acknowledged} entries acknowledged before kill -9; after it: {error.Message}", Remedy);
        }
    }

    /// <summary>The child: appends until it is killed, and says the sequence of each acknowledged entry.</summary>
    public static async Task WriteAsync(string folder, TextWriter output, CancellationToken cancellationToken)
    {
        using var data = DataFolder.Open(folder, TimeProvider.System);
        await using var store = await SqliteJournalStore.OpenAsync(new SqliteJournalOptions { Folder = data }, TimeProvider.System, NullLogger<SqliteJournalStore>.Instance, cancellationToken);
        while (!cancellationToken.IsCancellationRequested)
        {
            var kept = await store.Journal.AppendAsync(new StreamId("probe"), null, [new NewEntry("probe", 1, Encoding.UTF8.GetBytes("""{"probe":true}"""))], cancellationToken);
            await output.WriteLineAsync(kept[^1].Sequence.ToString(System.Globalization.CultureInfo.InvariantCulture));
            await output.FlushAsync(cancellationToken);
        }
    }

    /// <summary>Has a child write, kills it in the middle, and returns how many entries it had been told are kept.</summary>
    public static async Task<long> WriteAndKillAsync(string folder, CancellationToken cancellationToken)
    {
        var running = Path.GetFileNameWithoutExtension(Environment.ProcessPath);
        var start = new ProcessStartInfo(running is "drella" or "dotnet" ? Environment.ProcessPath! : "dotnet") { RedirectStandardOutput = true };
        if (running != "drella")
        {
            start.ArgumentList.Add(typeof(JournalProbe).Assembly.Location);
        }

        start.ArgumentList.Add(Verb);
        start.ArgumentList.Add(folder);
        using var child = Process.Start(start)!;
        var last = 0L;
        try
        {
            while (last < Enough && await child.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
            {
                last = long.Parse(line, System.Globalization.CultureInfo.InvariantCulture);
            }
        }
        finally
        {
            child.Kill();
            await child.WaitForExitAsync(CancellationToken.None);
        }

        while (await child.StandardOutput.ReadLineAsync(cancellationToken) is { } line && long.TryParse(line, out var more))
        {
            last = more;
        }

        return last;
    }
}
