using System.Text.Json;
using Drella.Core.Jobs;
using Drella.Core.Journal;
using Drella.Web.Pages;

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
