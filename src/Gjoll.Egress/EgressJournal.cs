using System.Text.Json;

namespace Gjoll.Egress;

/// <summary>
/// Keeps decisions as JSON lines in a file. Bounded whatever a guest does: when the file is full it takes the place of the one before, and of
/// the refusals of a minute the first are kept one by one and the rest as a number. More openings than a minute can hold are not kept, so the
/// door stays shut.
/// </summary>
public sealed class EgressJournal : IEgressAudit, IAsyncDisposable
{
    private const int RefusalsPerMinute = 120;
    private const int OpeningsPerMinute = 1200;
    private const int Watched = 10_000;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly string path;
    private readonly long maxBytes;
    private readonly TimeProvider time;
    private readonly SemaphoreSlim gate = new(1);
    private readonly Dictionary<string, Minute> minutes = new(StringComparer.Ordinal);
    private FileStream? file;

    /// <param name="path">The file, readable by its owner only; what is there is continued. The one before it has <c>.1</c> at its end.</param>
    /// <param name="maxBytes">Size of one of the two files.</param>
    /// <param name="time">The clock of the lines.</param>
    public EgressJournal(string path, long maxBytes, TimeProvider time)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxBytes);
        (this.path, this.maxBytes, this.time) = (path, maxBytes, time);
        file = Open();
    }

    /// <inheritdoc/>
    public async Task RecordAsync(string sandbox, IEgressAdmission? admission, EgressDecision decision, CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken);
        try
        {
            var (isKept, untold) = Count(sandbox, decision.Allowed);
            if (untold > 0)
            {
                await AppendAsync(sandbox, decision with { Target = $"{untold} more refusals in a minute", Allowed = false, Rule = "flood" }, cancellationToken);
            }

            if (isKept)
            {
                await AppendAsync(sandbox, decision, cancellationToken);
            }
            else if (decision.Allowed)
            {
                throw new IOException("more was opened in a minute than the journal holds");
            }
        }
        finally
        {
            gate.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await gate.WaitAsync();
        if (file is not null)
        {
            await file.DisposeAsync();
        }

        gate.Dispose();
    }

    private async Task AppendAsync(string sandbox, EgressDecision decision, CancellationToken cancellationToken)
    {
        var line = Line(sandbox, decision);
        if (file is { Length: > 0 } full && full.Length + line.Length > maxBytes)
        {
            file = null;
            await full.DisposeAsync();
            File.Move(path, path + ".1", overwrite: true);
        }

        // Not there when the one before could not be put away: every decision tries again.
        file ??= Open();
        await file.WriteAsync(line, cancellationToken);
    }

    private ReadOnlyMemory<byte> Line(string sandbox, EgressDecision decision)
    {
        var line = new MemoryStream();
        using (var json = new Utf8JsonWriter(line))
        {
            json.WriteStartObject();
            json.WriteString("at", time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture));
            json.WriteString("sandbox", sandbox);
            json.WriteString("door", decision.Door);
            json.WriteString("target", decision.Target);
            json.WriteBoolean("allowed", decision.Allowed);
            json.WriteString("rule", decision.Rule);
            json.WriteEndObject();
        }

        line.WriteByte((byte)'\n');
        return line.GetBuffer().AsMemory(0, (int)line.Length);
    }

    // Unbuffered: a line is with the kernel before its door opens.
    private FileStream Open() => new(path, new FileStreamOptions
    {
        Mode = FileMode.Append,
        Access = FileAccess.Write,
        Share = FileShare.Read | FileShare.Delete,
        BufferSize = 0,
        Options = FileOptions.Asynchronous,
        UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
    });

    private (bool IsKept, int Untold) Count(string sandbox, bool isOpening)
    {
        var untold = 0;
        if (!minutes.TryGetValue(sandbox, out var minute) || time.GetElapsedTime(minute.Began) >= Window)
        {
            untold = minute is null ? 0 : Math.Max(0, minute.Refusals - RefusalsPerMinute);
            if (minutes.Count >= Watched)
            {
                minutes.Clear();
            }

            minutes[sandbox] = minute = new Minute(time.GetTimestamp());
        }

        return (isOpening ? ++minute.Openings <= OpeningsPerMinute : ++minute.Refusals <= RefusalsPerMinute, untold);
    }

    private sealed class Minute(long began)
    {
        public long Began => began;

        public int Refusals { get; set; }

        public int Openings { get; set; }
    }
}
