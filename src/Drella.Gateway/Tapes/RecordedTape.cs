using System.Text;
using System.Text.Json;
using Drella.Gateway.Models;
using Gjoll.Egress;

namespace Drella.Gateway.Tapes;

/// <summary>Plays a recorded tape again. Like a scripted one it reads its place from the conversation and keeps none itself.</summary>
public sealed class RecordedTape : IModelUpstream
{
    // A member that is missing makes the line no exchange; it is not taken for null.
    private static readonly JsonSerializerOptions Wire = new(JsonSerializerDefaults.Web) { RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true };

    private readonly Dictionary<(string, int, int, string), RecordedExchange> exchanges = [];
    private readonly Lock reporting = new();
    private readonly List<string> served = [];
    private readonly List<string> mismatches = [];
    private int requests;

    /// <param name="lines">The lines of the file. Of several answers at one place the last good one counts: the others were retried.</param>
    /// <exception cref="FormatException">A line is not an exchange.</exception>
    public RecordedTape(IEnumerable<string> lines)
    {
        foreach (var line in lines.Where(line => line.Length > 0))
        {
            var exchange = Parse(line);
            var key = (exchange.Role, exchange.Attempt, exchange.Round, exchange.Place);
            if (exchange.Status < 300 || !exchanges.ContainsKey(key))
            {
                exchanges[key] = exchange;
            }
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Secrets => [];

    public TapeReport Report
    {
        get
        {
            lock (reporting)
            {
                return new TapeReport(requests, [.. served], [.. mismatches]);
            }
        }
    }

    /// <inheritdoc/>
    public Task<UpstreamAnswer> SendAsync(UpstreamCall call, CancellationToken cancellationToken)
    {
        var who = call.Assignment;
        var place = RecordedExchange.PlaceOf(call.Body);
        var found = exchanges.GetValueOrDefault((who.Role, who.Attempt, who.Round, place));
        var label = $"{who.Role}-{who.Attempt}/{who.Round}: {place}";
        lock (reporting)
        {
            requests++;
            (found is null ? mismatches : served).Add(label);
        }

        var headers = new Dictionary<string, string> { ["content-type"] = found?.ContentType ?? "application/json" };
        if (found is not null)
        {
            return Task.FromResult(new UpstreamAnswer(found.Status, headers, new MemoryStream(Encoding.UTF8.GetBytes(found.Response))));
        }

        headers["x-should-retry"] = "false";
        var message = $"tape mismatch: nothing was recorded at {Printable.Escape(label, 200)}";
        var body = JsonSerializer.SerializeToUtf8Bytes(new { type = "error", error = new { type = "permission_error", message } });
        return Task.FromResult(new UpstreamAnswer(403, headers, new MemoryStream(body)));
    }

    private static RecordedExchange Parse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize<RecordedExchange>(line, Wire) ?? throw new FormatException("An empty exchange.");
        }
        catch (JsonException bad)
        {
            throw new FormatException($"Not a recorded tape: {bad.Message}", bad);
        }
    }
}
