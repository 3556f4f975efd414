using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Drella.Drivers.Tests.Forges.GitHub;

/// <summary>
/// Answers as api.github.com once did. A recording is looked up by method and path; several of the same are played in order and the last one
/// stays. Queries and bodies may differ from the recorded client's, so tests judge them by <see cref="Stub.Requests"/>.
/// </summary>
internal sealed partial class Replay
{
    private readonly Dictionary<string, Queue<HttpMessageRecord>> _records = new(StringComparer.Ordinal);
    private readonly TimeProvider _time;

    public Replay(string scenario, TimeProvider time)
    {
        _time = time;
        var folder = Path.Combine(AppContext.BaseDirectory, "Forges", "GitHub", "data", "recordings", scenario);
        var files = Directory.GetFiles(Path.Combine(folder, "mappings"))
            .OrderBy(f => int.TryParse(Path.GetFileName(f).Split('-')[0], out var n) ? n : 0);
        foreach (var file in files)
        {
            var record = HttpMessageRecord.Read(folder, File.ReadAllText(file));
            if (!_records.TryGetValue(record.Key, out var queue))
            {
                _records[record.Key] = queue = new();
            }

            queue.Enqueue(record);
        }

        Stub = new Stub(Answer, time);
    }

    public Stub Stub { get; }

    private HttpResponseMessage Answer(Seen seen)
    {
        var key = $"{seen.Method} {seen.Url.AbsolutePath}";
        if (!_records.TryGetValue(key, out var queue))
        {
            return Stub.Json("""{"message":"Not Found","documentation_url":"https://docs.github.com/rest"}""", HttpStatusCode.NotFound);
        }

        var record = queue.Count > 1 ? queue.Dequeue() : queue.Peek();
        var etag = record.Headers.FirstOrDefault(h => h.Name.Equals("ETag", StringComparison.OrdinalIgnoreCase)).Value;
        var isKnown = etag is not null && seen.IfNoneMatch == etag && record.Status == 200;
        var response = new HttpResponseMessage(isKnown ? HttpStatusCode.NotModified : (HttpStatusCode)record.Status)
        {
            Content = new ByteArrayContent(isKnown ? [] : Encoding.UTF8.GetBytes(record.Body)),
        };
        foreach (var (name, value) in record.Headers)
        {
            if (name.Equals("Content-Type", StringComparison.OrdinalIgnoreCase))
            {
                response.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(value);
            }
            else
            {
                response.Headers.TryAddWithoutValidation(name, Moment().Replace(value, m => Fill(m.Groups[1].Value)));
            }
        }

        return response;
    }

    /// <summary><c>{{now offset='8 seconds' timezone='GMT' format='…'}}</c>, where the format is <c>unix</c> or that of HTTP dates.</summary>
    private string Fill(string expression)
    {
        var offset = Offset().Match(expression) is { Success: true } m ? int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture) : 0;
        var at = _time.GetUtcNow().AddSeconds(offset);
        return expression.Contains("unix", StringComparison.Ordinal)
            ? at.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture)
            : at.ToString("R", CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"\{\{((?:now|testStartDate)[^}]*)\}\}")]
    private static partial Regex Moment();

    [GeneratedRegex(@"offset='(\d+) seconds'")]
    private static partial Regex Offset();

    private sealed record HttpMessageRecord(string Key, int Status, string Body, List<(string Name, string Value)> Headers)
    {
        public static HttpMessageRecord Read(string folder, string json)
        {
            var root = JsonElement.Parse(json);
            var request = root.GetProperty("request");
            var url = (request.TryGetProperty("url", out var full) ? full : request.GetProperty("urlPath")).GetString()!.Split('?')[0];
            var response = root.GetProperty("response");
            var body = response.TryGetProperty("bodyFileName", out var file)
                ? File.ReadAllText(Path.Combine(folder, "__files", file.GetString()!))
                : response.TryGetProperty("body", out var text) ? text.GetString()! : "";
            var headers = new List<(string, string)>();
            foreach (var header in response.TryGetProperty("headers", out var all) ? all.EnumerateObject() : default)
            {
                headers.AddRange(header.Value.ValueKind == JsonValueKind.Array
                    ? header.Value.EnumerateArray().Select(v => (header.Name, v.GetString()!))
                    : [(header.Name, header.Value.GetString()!)]);
            }

            return new HttpMessageRecord($"{request.GetProperty("method").GetString()} {url}", response.GetProperty("status").GetInt32(), body, headers);
        }
    }
}
