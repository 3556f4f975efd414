namespace Drella.Core.Journal;

/// <summary>Names one append-only, hash-chained stream: a job's (<c>job/…</c>) or the intake's (<c>intake</c>).</summary>
public readonly record struct StreamId(string Value)
{
    /// <summary>The stream of everything that was looked at before a job existed for it.</summary>
    public static readonly StreamId Intake = new("intake");

    public override string ToString() => Value;
}

/// <summary>An entry on its way in: what happened, before the journal gave it a place and a time.</summary>
/// <param name="Kind">Stable name of the payload's shape, such as <c>step.started</c>.</param>
/// <param name="Version">Version of that shape, from 1.</param>
/// <param name="Payload">UTF-8 JSON object.</param>
public sealed record NewEntry(string Kind, int Version, ReadOnlyMemory<byte> Payload);

/// <summary>One durable line of a stream.</summary>
/// <param name="Stream">The stream it belongs to.</param>
/// <param name="Sequence">Place in its stream, from 1, without gaps.</param>
/// <param name="At">Host time of the append, UTC, whole milliseconds. For display; no decision depends on it.</param>
/// <param name="Kind">Stable name of the payload's shape.</param>
/// <param name="Version">Version of that shape.</param>
/// <param name="Payload">UTF-8 JSON object, byte for byte as appended.</param>
/// <param name="PreviousHash">Hash of the entry before it, or 32 zero bytes for the first.</param>
/// <param name="Hash">SHA-256 over the entry and <paramref name="PreviousHash"/>; see <see cref="HashChain"/>.</param>
public sealed record Entry(
    StreamId Stream,
    long Sequence,
    DateTimeOffset At,
    string Kind,
    int Version,
    ReadOnlyMemory<byte> Payload,
    ReadOnlyMemory<byte> PreviousHash,
    ReadOnlyMemory<byte> Hash);
