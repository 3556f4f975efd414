using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Drella.Demo;

/// <summary>A person at the forge, doing by API what people do in the browser: merging a spec, reviewing, merging. Not part of the factory.</summary>
internal sealed class ForgePerson : IDisposable
{
    private readonly HttpClient client;

    public ForgePerson(Uri forge, string token)
    {
        client = new HttpClient { BaseAddress = new Uri(forge, "/api/v3/"), Timeout = TimeSpan.FromSeconds(60) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        client.DefaultRequestHeaders.UserAgent.ParseAdd("drella-demo");
    }

    /// <summary>Commits a file to a new branch, opens a pull request for it and merges it. Returns the pull request's number.</summary>
    public async Task<int> MergeFileAsync(string repo, string path, string text, string title, CancellationToken cancellationToken)
    {
        var branch = "add-" + Path.GetFileNameWithoutExtension(path);
        var main = await GetAsync($"repos/{repo}/git/ref/heads/main", cancellationToken);
        await SendAsync(HttpMethod.Post, $"repos/{repo}/git/refs", new { @ref = $"refs/heads/{branch}", sha = Text(main["object"]!, "sha") }, cancellationToken);
        await SendAsync(
            HttpMethod.Put, $"repos/{repo}/contents/{path}", new { message = title, content = Convert.ToBase64String(Encoding.UTF8.GetBytes(text)), branch }, cancellationToken);
        var pull = await SendAsync(HttpMethod.Post, $"repos/{repo}/pulls", new { title, head = branch, @base = "main", body = "A spec for the factory." }, cancellationToken);
        var number = pull["number"]!.GetValue<int>();
        await MergeAsync(repo, number, cancellationToken);
        return number;
    }

    /// <summary>Merges a pull request, waiting while the forge works out whether it can be.</summary>
    public async Task MergeAsync(string repo, int number, CancellationToken cancellationToken)
    {
        while ((await GetAsync($"repos/{repo}/pulls/{number}", cancellationToken))["mergeable"]?.GetValue<bool>() is null)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellationToken);
        }

        await SendAsync(HttpMethod.Put, $"repos/{repo}/pulls/{number}/merge", new { merge_method = "merge" }, cancellationToken);
    }

    /// <summary>Asks for changes, with remarks on lines.</summary>
    public Task<JsonNode> ReviewAsync(string repo, int number, string body, IReadOnlyList<(string Path, int Line, string Body)> remarks, CancellationToken cancellationToken) => SendAsync(
        HttpMethod.Post,
        $"repos/{repo}/pulls/{number}/reviews",
        new { @event = "REQUEST_CHANGES", body, comments = remarks.Select(remark => new { path = remark.Path, line = remark.Line, side = "RIGHT", body = remark.Body }) },
        cancellationToken);

    public Task<JsonNode> SendAsync(HttpMethod method, string path, object content, CancellationToken cancellationToken) =>
        ReadAsync(new HttpRequestMessage(method, path) { Content = JsonContent.Create(content) }, cancellationToken);

    public Task<JsonNode> GetAsync(string path, CancellationToken cancellationToken) => ReadAsync(new HttpRequestMessage(HttpMethod.Get, path), cancellationToken);

    /// <summary>Names of the files in a folder of the default branch; empty when there is none.</summary>
    public async Task<IReadOnlyList<string>> FolderAsync(string repo, string path, CancellationToken cancellationToken)
    {
        using var response = await client.GetAsync(new Uri($"repos/{repo}/contents/{path}", UriKind.Relative), cancellationToken);
        return response.IsSuccessStatusCode
            ? [.. JsonNode.Parse(await response.Content.ReadAsStringAsync(cancellationToken))!.AsArray().Select(item => Text(item!, "name"))]
            : [];
    }

    public void Dispose() => client.Dispose();

    private async Task<JsonNode> ReadAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using (request)
        {
            using var response = await client.SendAsync(request, cancellationToken);
            var text = await response.Content.ReadAsStringAsync(cancellationToken);
            return response.IsSuccessStatusCode
                ? JsonNode.Parse(text.Length == 0 ? "{}" : text)!
                : throw new HttpRequestException($"{request.Method} {request.RequestUri}: {(int)response.StatusCode} {text}", null, response.StatusCode);
        }
    }

    private static string Text(JsonNode node, string name) => node[name]!.GetValue<string>();
}
