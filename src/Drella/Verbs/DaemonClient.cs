using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Text.Json;
using Drella.Terminal;
using Drella.Web;
using Drella.Web.Api;

namespace Drella.Verbs;

/// <summary>Talks to the daemon of a data folder, which says in <c>run/daemon.json</c> where it is.</summary>
internal sealed class DaemonClient : IDisposable
{
    private readonly HttpClient http;

    private DaemonClient(HttpClient http) => this.http = http;

    public static DaemonClient Open(Call call)
    {
        var file = Path.Combine(call.Config().DataFolder, "run", "daemon.json");
        if (!File.Exists(file))
        {
            throw new VerbFailure(ExitCode.NoDaemon, $"no daemon runs on {call.Config().DataFolder}; 'drella up' starts one");
        }

        var (url, token) = Read(file);
        var http = new HttpClient { BaseAddress = url, Timeout = Timeout.InfiniteTimeSpan };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return new DaemonClient(http);
    }

    public async Task<T> GetAsync<T>(string path, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(new HttpRequestMessage(HttpMethod.Get, path), HttpCompletionOption.ResponseContentRead, cancellationToken);
        return (await response.Content.ReadFromJsonAsync<T>(WebServer.Wire, cancellationToken))!;
    }

    public async Task<string> TextAsync(string path, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(new HttpRequestMessage(HttpMethod.Get, path), HttpCompletionOption.ResponseContentRead, cancellationToken);
        return await response.Content.ReadAsStringAsync(cancellationToken);
    }

    /// <summary>The body as it comes; dispose the response to stop.</summary>
    public Task<HttpResponseMessage> StreamAsync(string path, CancellationToken cancellationToken) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Get, path), HttpCompletionOption.ResponseHeadersRead, cancellationToken);

    public async Task<JsonElement> PostAsync(string path, object body, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) }, HttpCompletionOption.ResponseContentRead, cancellationToken);
        return await response.Content.ReadFromJsonAsync<JsonElement>(WebServer.Wire, cancellationToken);
    }

    /// <summary>The entries of a job, and those that come.</summary>
    public async IAsyncEnumerable<EntryView> FollowAsync(string job, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var response = await StreamAsync($"/api/jobs/{job}/events", cancellationToken);
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        await foreach (var item in SseParser.Create(stream, (_, data) => JsonSerializer.Deserialize<EntryView>(data, WebServer.Wire)!).EnumerateAsync(cancellationToken))
        {
            yield return item.Data;
        }
    }

    /// <summary>The one job whose id begins so.</summary>
    public async Task<JobSummary> FindAsync(string start, CancellationToken cancellationToken)
    {
        var found = (await GetAsync<List<JobSummary>>("/api/jobs", cancellationToken)).Where(job => job.Id.StartsWith(start, StringComparison.Ordinal)).ToList();
        return found switch
        {
            [var only] => only,
            [] => throw new VerbFailure(ExitCode.NotFound, $"no job's id begins with '{start}'; 'drella job ls' lists them"),
            _ => throw new VerbFailure(ExitCode.Usage, $"{found.Count} jobs' ids begin with '{start}': {string.Join(", ", found.Select(job => job.Id))}"),
        };
    }

    public void Dispose() => http.Dispose();

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, HttpCompletionOption completion, CancellationToken cancellationToken)
    {
        HttpResponseMessage response;
        using (request)
        {
            try
            {
                response = await http.SendAsync(request, completion, cancellationToken);
            }
            catch (HttpRequestException error)
            {
                throw new VerbFailure(ExitCode.NoDaemon, $"the daemon at {http.BaseAddress} does not answer ({error.Message}); 'drella up' starts one");
            }
        }

        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        var code = response.StatusCode switch { HttpStatusCode.NotFound => ExitCode.NotFound, HttpStatusCode.Conflict or HttpStatusCode.UnprocessableEntity => ExitCode.Refused, _ => ExitCode.Failed };
        response.Dispose();
        throw new VerbFailure(code, Reason(text));
    }

    private static (Uri Url, string Token) Read(string file)
    {
        try
        {
            if (JsonSerializer.Deserialize<Marker>(File.ReadAllText(file), WebServer.Wire) is { Url: { } text, Token: { } token } && Uri.TryCreate(text, UriKind.Absolute, out var url))
            {
                return (url, token);
            }
        }
        catch (JsonException)
        {
            // Said below.
        }
        catch (UnauthorizedAccessException)
        {
            throw new VerbFailure(ExitCode.Failed, $"{file} may be read by its owner only; run this as the user that the daemon runs as");
        }

        throw new VerbFailure(ExitCode.NoDaemon, $"{file} does not say where the daemon is; end the daemon if it runs, and 'drella up' writes the file anew");
    }

    private static string Reason(string text)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            return json.RootElement.TryGetProperty("error", out var error)
                ? error.GetString() ?? text
                : json.RootElement.TryGetProperty("problems", out var problems) ? string.Join('\n', problems.EnumerateArray().Select(problem => problem.GetString())) : text;
        }
        catch (JsonException)
        {
            return text;
        }
    }

    private sealed record Marker(string? Url, string? Token, int Pid);
}
