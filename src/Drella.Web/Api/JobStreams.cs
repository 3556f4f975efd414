using System.Buffers;
using System.IO.Pipelines;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Drella.Core.Agents;
using Drella.Core.Jobs;
using Drella.Core.Journal;
using Drella.Web.Pages;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Drella.Web.Api;

/// <summary>An entry of a job's journal as the API tells it; <see cref="Text"/> is the entry in plain words.</summary>
public sealed record EntryView(long Sequence, DateTimeOffset At, string Kind, JsonElement Payload, string Text)
{
    public static EntryView Of(Entry entry)
    {
        using var payload = JsonDocument.Parse(entry.Payload);
        return new EntryView(entry.Sequence, entry.At, entry.Kind, payload.RootElement.Clone(), EntryText.For(JobEntryCodec.Decode(entry)));
    }
}

/// <summary>What grows: journal entries as server-sent events or lines, transcripts as bytes or as events.</summary>
internal static class JobStreams
{
    private const int MaxLine = 16 << 20;

    public static void Map(IEndpointRouteBuilder routes, WebPorts ports)
    {
        routes.MapGet("/api/jobs/{id}/events", (string id, long? after, HttpRequest request, CancellationToken cancellationToken) =>
        {
            var from = long.TryParse(request.Headers["Last-Event-ID"], out var last) ? last : after ?? 0;
            return JobReads.Find(ports, id) is { } live
                ? TypedResults.ServerSentEvents(FollowAsync(ports, live.Job.Id, from, cancellationToken))
                : JobReads.NotFound;
        });
        routes.MapGet("/api/jobs/{id}/entries", (string id, long? after) => JobReads.Find(ports, id) is { } live
            ? Results.Stream(body => WriteEntriesAsync(ports, live.Job.Id, after ?? 0, body), "application/jsonl")
            : JobReads.NotFound);
        routes.MapGet("/api/jobs/{id}/transcripts/{index:int}", (string id, int index, bool? follow, HttpContext context) => Transcript(ports, id, index) is { } run
            ? Results.Stream(body => CopyAsync(ports, run, follow ?? false, body, context.RequestAborted), "application/octet-stream")
            : JobReads.NotFound);
        routes.MapGet("/api/jobs/{id}/transcript/events", (string id, int? index, HttpContext context) => Transcript(ports, id, index ?? 0) is { } run
            ? Results.Stream(body => WriteEventsAsync(ports, run, body, context.RequestAborted), "application/jsonl")
            : JobReads.NotFound);
    }

    /// <summary>The events of a transcript, read as they come.</summary>
    public static async IAsyncEnumerable<AgentEvent> EventsAsync(WebPorts ports, TranscriptRun run, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var stream = (ports.Agents.FirstOrDefault(agent => agent.Id == run.Agent) ?? ports.Agents[0]).OpenStream();
        var pipe = new Pipe();
        var filling = FillAsync(ports, run.Blob, pipe.Writer, cancellationToken);
        while (true)
        {
            var read = await pipe.Reader.ReadAsync(cancellationToken);
            var buffer = read.Buffer;
            while (LineEnd(buffer) is { } end)
            {
                foreach (var said in stream.Read(buffer.Slice(0, end).ToArray()))
                {
                    yield return said;
                }

                buffer = buffer.Slice(buffer.GetPosition(1, end));
            }

            pipe.Reader.AdvanceTo(buffer.Start, buffer.End);
            if (read.IsCompleted)
            {
                break;
            }
        }

        await pipe.Reader.CompleteAsync();
        await filling;
    }

    /// <summary>One run of an agent and where its words are kept.</summary>
    public static TranscriptRun? Transcript(WebPorts ports, string id, int index)
    {
        if (JobReads.Find(ports, id)?.Job is not { } job || index < 0 || index >= job.Transcripts.Count)
        {
            return null;
        }

        var run = job.Transcripts[index];
        var role = job.Request.Pipeline.FirstOrDefault(known => known.Name == run.Role.Split('#')[0]);
        return new TranscriptRun(job.Id, index, new BlobId(run.Transcript), role?.Agent ?? "");
    }

    // A line that is longer than an agent's may be is cut, so that memory stays bounded.
    private static SequencePosition? LineEnd(ReadOnlySequence<byte> buffer) =>
        buffer.PositionOf((byte)'\n') ?? (buffer.Length > MaxLine ? buffer.GetPosition(MaxLine) : null);

    private static async IAsyncEnumerable<SseItem<EntryView>> FollowAsync(WebPorts ports, JobId job, long after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var entry in ports.Journal.FollowAsync(job.Stream, after, cancellationToken))
        {
            yield return new SseItem<EntryView>(EntryView.Of(entry), "entry") { EventId = entry.Sequence.ToString(System.Globalization.CultureInfo.InvariantCulture) };
        }
    }

    private static async Task WriteEntriesAsync(WebPorts ports, JobId job, long after, Stream body)
    {
        await foreach (var entry in ports.Journal.ReadAsync(job.Stream, after, CancellationToken.None))
        {
            await JsonSerializer.SerializeAsync(body, EntryView.Of(entry), WebServer.Wire);
            body.WriteByte((byte)'\n');
        }
    }

    private static async Task CopyAsync(WebPorts ports, TranscriptRun run, bool follow, Stream body, CancellationToken cancellationToken)
    {
        var offset = 0L;
        while (true)
        {
            await foreach (var chunk in ports.Blobs.ReadAsync(run.Blob, offset, cancellationToken))
            {
                await body.WriteAsync(chunk, cancellationToken);
                offset += chunk.Length;
            }

            await body.FlushAsync(cancellationToken);
            var live = ports.Jobs.Find(run.Job);
            var isGrowing = live is not null && live.Job.Transcripts.Count == run.Index + 1 && live.Job is { IsStepOpen: true, Step: StepName.Work or StepName.Judge };
            if (!follow || (!isGrowing && await ports.Blobs.LengthAsync(run.Blob, cancellationToken) == offset))
            {
                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(250), ports.Time, cancellationToken);
        }
    }

    private static async Task WriteEventsAsync(WebPorts ports, TranscriptRun run, Stream body, CancellationToken cancellationToken)
    {
        await foreach (var said in EventsAsync(ports, run, cancellationToken))
        {
            await body.WriteAsync(System.Text.Encoding.UTF8.GetBytes(AgentEventJson.Write(said) + "\n"), cancellationToken);
        }
    }

    private static async Task FillAsync(WebPorts ports, BlobId blob, PipeWriter writer, CancellationToken cancellationToken)
    {
        await foreach (var chunk in ports.Blobs.ReadAsync(blob, 0, cancellationToken))
        {
            await writer.WriteAsync(chunk, cancellationToken);
        }

        await writer.CompleteAsync();
    }
}

/// <summary>One run of an agent: whose, which, where its words are kept, and which agent's format they have.</summary>
internal sealed record TranscriptRun(JobId Job, int Index, BlobId Blob, string Agent);
