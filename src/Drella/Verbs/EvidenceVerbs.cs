using System.CommandLine;
using System.Security.Cryptography;
using Drella.Core;
using Drella.Core.Jobs;
using Drella.Core.Journal;
using Drella.Drivers.Journals.Sqlite;
using Drella.Terminal;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drella.Verbs;

/// <summary><c>verify</c> and <c>backup</c>: they work beside a running daemon and without one.</summary>
internal static class EvidenceVerbs
{
    private sealed record Verified(bool Ok, long Streams, long Entries, int Transcripts, IReadOnlyList<string> Problems);

    public static IEnumerable<Command> All(Shell shell)
    {
        var job = new Option<string?>("--job") { Description = "Only this job" };
        var backup = new Option<DirectoryInfo?>("--backup") { Description = "Verify a backup instead of the data folder" };
        yield return shell.Verb("verify", "Check the journal's hash chains and the transcripts they vouch for", call => VerifyAsync(call, job, backup), job, backup);

        var probed = new Argument<DirectoryInfo>("folder");
        var probe = shell.Verb(
            Doctor.JournalProbe.Verb,
            "Write until killed; doctor runs it",
            async call =>
            {
                await Doctor.JournalProbe.WriteAsync(call.Value(probed)!.FullName, call.Speaker.Output, call.Cancellation);
                return ExitCode.Ok;
            },
            probed);
        probe.Hidden = true;
        yield return probe;

        var destination = new Argument<DirectoryInfo>("destination") { Description = "A folder that is not there yet" };
        yield return shell.Verb("backup", "Copy journal and transcripts while the factory goes on", call => BackupAsync(call, destination), destination);
    }

    private static async Task<ExitCode> VerifyAsync(Call call, Option<string?> jobOption, Option<DirectoryInfo?> backup)
    {
        await using var store = await OpenAsync(call.Value(backup)?.FullName ?? call.Config().DataFolder, call.Cancellation);
        StreamId? stream = null;
        if (call.Value(jobOption) is { } text)
        {
            stream = JobId.TryParse(text, out var id) ? id.Stream : throw new VerbFailure(ExitCode.Usage, $"'{text}' is not a job id");
        }

        var chain = await store.Journal.VerifyAsync(stream, call.Cancellation);
        if (stream is { } asked && chain is { Streams: 0, FirstBad: null })
        {
            throw new VerbFailure(ExitCode.NotFound, $"the journal holds nothing of {asked}; 'drella job ls' lists the jobs");
        }

        var problems = new List<string>();
        if (chain.FirstBad is { } bad)
        {
            problems.Add($"{bad.Stream} entry {bad.Sequence}: {bad.What}");
        }

        var transcripts = chain.FirstBad is null ? await VerifyTranscriptsAsync(call, store, stream?.Value ?? "job/", chain.Entries, problems) : 0;
        var result = new Verified(problems.Count == 0, chain.Streams, chain.Entries, transcripts, problems);
        call.Speaker.Data(result, writer =>
        {
            writer.WriteLine($"{result.Streams} streams, {result.Entries} entries, {result.Transcripts} transcripts: {(result.Ok ? "intact" : "NOT intact")}");
            problems.ForEach(problem => writer.WriteLine("  " + TerminalText.Show(problem)));
        });
        return result.Ok ? ExitCode.Ok : ExitCode.CheckFailed;
    }

    private static async Task<int> VerifyTranscriptsAsync(Call call, SqliteJournalStore store, string prefix, long entries, List<string> problems)
    {
        var count = 0;
        var read = 0L;
        using var progress = call.Speaker.Progress("verify");
        JobEntry.AgentStarted? run = null;
        await foreach (var entry in store.Journal.ReadAllAsync(prefix, call.Cancellation))
        {
            progress.Report(++read / (double)entries);
            switch (JobEntryCodec.Decode(entry))
            {
                case JobEntry.AgentStarted started:
                    run = started;
                    break;
                case JobEntry.AgentEnded ended when run is not null:
                    using (var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256))
                    {
                        await foreach (var chunk in store.Blobs.ReadAsync(new BlobId(run.Transcript), 0, call.Cancellation))
                        {
                            hash.AppendData(chunk.Span);
                        }

                        count++;
                        if (Convert.ToHexStringLower(hash.GetCurrentHash()) != ended.TranscriptDigest)
                        {
                            problems.Add($"the transcript {run.Transcript} is not what entry {entry.Sequence} of {entry.Stream} vouches for");
                        }
                    }

                    break;
            }
        }

        return count;
    }

    private static async Task<ExitCode> BackupAsync(Call call, Argument<DirectoryInfo> argument)
    {
        var destination = call.Value(argument)!.FullName;
        await using var store = await OpenAsync(call.Config().DataFolder, call.Cancellation);
        using (var progress = call.Speaker.Progress("backup"))
        {
            await store.BackupAsync(destination, progress, call.Cancellation);
        }

        call.Speaker.Data(new { destination }, writer => writer.WriteLine(destination));
        return ExitCode.Ok;
    }

    private static async Task<SqliteJournalStore> OpenAsync(string folder, CancellationToken cancellationToken)
    {
        if (!File.Exists(Path.Combine(folder, "journal.db")))
        {
            throw new VerbFailure(ExitCode.NotFound, $"{folder} holds no journal; name the configuration with --config");
        }

        try
        {
            return await SqliteJournalStore.OpenReadOnlyAsync(folder, TimeProvider.System, NullLogger<SqliteJournalStore>.Instance, cancellationToken);
        }
        catch (DriverException error)
        {
            throw new VerbFailure(ExitCode.CheckFailed, error.Message);
        }
    }
}
