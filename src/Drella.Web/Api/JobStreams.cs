using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Threading.Channels;
using Drella.Core.Agents;
using Drella.Core.Jobs;
using Drella.Core.Journal;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Drella.Web.Api;

/// <summary>What grows: journal entries as server-sent events or lines, transcripts as bytes or as events. Streams end when the server stops.</summary>
internal sealed class JobStreams(WebPorts ports, CancellationToken stopping)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/events", ChangesAsync);
        routes.MapGet("/api/jobs/{id}/events", EntriesLiveAsync);
        routes.MapGet("/api/jobs/{id}/entries", (string id, string? after, HttpContext context) => JobReads.Find(ports, id) is { } live
            ? Results.Stream(body => WriteEntriesAsync(live.Job.Id, Place(after), body, context.RequestAborted), "application/jsonl")
            : JobReads.NotFound);
        routes.MapGet("/api/jobs/{id}/transcripts/{index}", (string id, string index, bool? follow, HttpContext context) => Transcript(ports, id, index) is { } run
            ? Results.Stream(body => CopyAsync(run, follow ?? false, body, context.RequestAborted), "application/octet-stream")
            : JobReads.NotFound);
        routes.MapGet("/api/jobs/{id}/transcript/events", (string id, string? index, HttpContext context) => Transcript(ports, id, index ?? "0") is { } run
            ? Results.Stream(body => WriteEventsAsync(run, body, context.RequestAborted), "application/jsonl")
            : JobReads.NotFound);
    }

    /// <summary>The events of a run, read as they come.</summary>
    public static IAsyncEnumerable<AgentEvent> EventsAsync(WebPorts ports, TranscriptRun run, CancellationToken cancellationToken) =>
        TranscriptReader.ReadAsync(ports.Blobs, run.Blob, (ports.Agents.FirstOrDefault(agent => agent.Id == run.Agent) ?? ports.Agents[0]).OpenStream(), cancellationToken);

    /// <summary>One run of an agent and where its words are kept; null when there is no such run.</summary>
    public static TranscriptRun? Transcript(WebPorts ports, string id, string index)
    {
        if (JobReads.Find(ports, id)?.Job is not { } job
            || !int.TryParse(index, NumberStyles.None, CultureInfo.InvariantCulture, out var at)
            || at >= job.Transcripts.Count)
        {
            return null;
        }

        var run = job.Transcripts[at];
        var role = job.Request.Pipeline.FirstOrDefault(known => known.Name == run.Role.Split('#')[0]);
        return new TranscriptRun(job.Id, at, new BlobId(run.Transcript), role?.Agent ?? "");
    }

    private static long Place(string? after) =>
        long.TryParse(after, NumberStyles.None, CultureInfo.InvariantCulture, out var sequence) ? sequence : 0;

    // Tells only that something changed: a page that shows many jobs then looks again.
    private async Task ChangesAsync(HttpContext context)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        var changes = Channel.CreateBounded<JobId>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        void Note(LiveJob live) => changes.Writer.TryWrite(live.Job.Id);
        ports.Jobs.Changed += Note;
        try
        {
            await new EventStream(context.Response, ports.Time)
                .WriteAsync(changes.Reader.ReadAllAsync(end.Token), job => ("change", null, new { job = job.Value }), end.Token);
        }
        finally
        {
            ports.Jobs.Changed -= Note;
        }
    }

    private async Task EntriesLiveAsync(string id, string? after, HttpContext context)
    {
        if (JobReads.Find(ports, id) is not { } live)
        {
            await JobReads.NotFound.ExecuteAsync(context);
            return;
        }

        // A browser that comes back says where it was; that is later than where its page began.
        var from = Math.Max(Place(after), Place(context.Request.Headers["Last-Event-ID"]));
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        await new EventStream(context.Response, ports.Time).WriteAsync(
            ports.Journal.FollowAsync(live.Job.Id.Stream, from, end.Token),
            entry => ("entry", entry.Sequence.ToString(CultureInfo.InvariantCulture), EntryView.Of(entry)),
            end.Token);
    }

    private async Task WriteEntriesAsync(JobId job, long after, Stream body, CancellationToken cancellationToken)
    {
        await foreach (var entry in ports.Journal.ReadAsync(job.Stream, after, cancellationToken))
        {
            await JsonSerializer.SerializeAsync(body, EntryView.Of(entry), WebServer.Wire, cancellationToken);
            await body.WriteAsync("\n"u8.ToArray(), cancellationToken);
        }
    }

    private async Task CopyAsync(TranscriptRun run, bool follow, Stream body, CancellationToken aborted)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(aborted, stopping);
        try
        {
            await foreach (var chunk in RawAsync(run, follow, end.Token))
            {
                await body.WriteAsync(chunk, end.Token);
                await body.FlushAsync(end.Token);
            }
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The reader has gone, or we are going; the bytes are where they were.
        }
    }

    private async IAsyncEnumerable<ReadOnlyMemory<byte>> RawAsync(TranscriptRun run, bool follow, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var offset = 0L;
        while (true)
        {
            // Asked before the read: what a run wrote before it ended is then read for certain.
            var isGrowing = IsGrowing(run);
            await foreach (var chunk in ports.Blobs.ReadAsync(run.Blob, offset, cancellationToken))
            {
                offset += chunk.Length;
                yield return chunk;
            }

            if (!follow || !isGrowing)
            {
                yield break;
            }

            await Task.Delay(Look, ports.Time, cancellationToken);
        }
    }

    private bool IsGrowing(TranscriptRun run) => ports.Jobs.Find(run.Job)?.Job is { IsStepOpen: true, Step: StepName.Work or StepName.Judge } job
        && job.Transcripts.Count == run.Index + 1;

    private async Task WriteEventsAsync(TranscriptRun run, Stream body, CancellationToken cancellationToken)
    {
        await foreach (var said in EventsAsync(ports, run, cancellationToken))
        {
            await body.WriteAsync(System.Text.Encoding.UTF8.GetBytes(AgentEventJson.Write(said) + "\n"), cancellationToken);
        }
    }
}

/// <summary>One run of an agent: whose, which, where its words are kept, and which agent's format they have.</summary>
internal sealed record TranscriptRun(JobId Job, int Index, BlobId Blob, string Agent);
