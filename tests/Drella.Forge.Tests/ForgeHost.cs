using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Drella.Testing.OpenApi;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drella.Forge.Tests;

/// <summary>One answer of the forge.</summary>
public sealed record Reply(int Status, JsonNode? Json, string Text, HttpResponseMessage Message)
{
    public JsonNode this[string field] => Json![field]!;

    public Reply Expect(int status)
    {
        Assert.True(Status == status, $"{Message.RequestMessage?.Method} {Message.RequestMessage?.RequestUri}: {Status}, expected {status}\n{Text}");
        return this;
    }
}

/// <summary>A forge on a port of its own with three users and one repository, and the gate around every response.</summary>
public sealed class ForgeHost : IAsyncDisposable
{
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(60) };
    private readonly bool _ownsFolder;

    private ForgeHost(ForgeServer server, string folder, bool ownsFolder, OpenApiGate gate)
    {
        (Server, Folder, _ownsFolder, Gate) = (server, folder, ownsFolder, gate);
        foreach (var (login, email) in ((string, string)[])[("octo", "octo@test.example"), ("dev", "dev@test.example"), ("reader", "reader@test.example"), ("stranger", "s@test.example")])
        {
            server.Admin.EnsureUser(login, login.ToUpperInvariant(), email);
            server.Admin.EnsureToken(login, "test", TokenOf(login));
        }
    }

    public static OpenApiGate Coverage { get; } = OpenApiGate.Load();

    public ForgeServer Server { get; }

    public OpenApiGate Gate { get; }

    public string Folder { get; }

    public static string TokenOf(string login) => $"token-of-{login}-0123456789";

    public static async Task<ForgeHost> StartAsync(CancellationToken cancellationToken, string? folder = null, int rateLimit = 50_000, bool isPrivate = true)
    {
        var path = folder ?? Directory.CreateTempSubdirectory("drella-forge-").FullName;
        var gate = OpenApiGate.Load();
        var options = new ForgeOptions { DataFolder = path, RateLimit = rateLimit, Middleware = [OpenApiMiddleware.For(gate), OpenApiMiddleware.For(Coverage)] };
        var server = await ForgeServer.StartAsync(options, TimeProvider.System, NullLoggerFactory.Instance, cancellationToken);
        var host = new ForgeHost(server, path, folder is null, gate);
        await server.Admin.EnsureRepositoryAsync(
            "octo", "app", new Dictionary<string, string> { ["README.md"] = "# App\n", ["src/a.txt"] = "1\n2\n3\n4\n5\n6\n7\n8\n9\n" }, isPrivate, cancellationToken);
        server.Admin.Grant("octo", "app", "dev", ForgeRole.Write);
        server.Admin.Grant("octo", "app", "reader", ForgeRole.Read);
        return host;
    }

    public Task<Reply> Get(string path, string? login = "octo", string? accept = null, string? etag = null) => Send(HttpMethod.Get, path, null, login, accept, etag);

    public Task<Reply> Post(string path, object? body = null, string? login = "octo") => Send(HttpMethod.Post, path, body ?? new { }, login);

    public Task<Reply> Put(string path, object? body = null, string? login = "octo") => Send(HttpMethod.Put, path, body ?? new { }, login);

    public Task<Reply> Patch(string path, object body, string? login = "octo") => Send(HttpMethod.Patch, path, body, login);

    public Task<Reply> Delete(string path, object? body = null, string? login = "octo") => Send(HttpMethod.Delete, path, body, login);

    public async Task<JsonNode> GraphQl(string query, object? variables = null, string login = "octo")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Server.BaseUrl, "/api/graphql")) { Content = JsonContent.Create(new { query, variables }) };
        request.Headers.Authorization = new AuthenticationHeaderValue("bearer", TokenOf(login));
        using var response = await _client.SendAsync(request, TestContext.Current.CancellationToken);
        return JsonNode.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;
    }

    public async Task<Reply> Send(HttpMethod method, string path, object? body, string? login, string? accept = null, string? etag = null)
    {
        var target = path.StartsWith("/-", StringComparison.Ordinal) || path.StartsWith("/web", StringComparison.Ordinal) ? path.Replace("/web", "", StringComparison.Ordinal) : "/api/v3" + path;
        using var request = new HttpRequestMessage(method, new Uri(Server.BaseUrl, target));
        if (body is not null)
        {
            request.Content = body is string text ? new StringContent(text, Encoding.UTF8, "application/json") : JsonContent.Create(body);
        }

        if (login is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("token", login.Contains(' ', StringComparison.Ordinal) ? login : TokenOf(login));
        }

        if (accept is not null)
        {
            request.Headers.Accept.ParseAdd(accept);
        }

        if (etag is not null)
        {
            request.Headers.TryAddWithoutValidation("If-None-Match", etag);
        }

        var response = await _client.SendAsync(request, TestContext.Current.CancellationToken);
        var content = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        var isJson = response.Content.Headers.ContentType?.MediaType == "application/json";
        return new Reply((int)response.StatusCode, isJson ? JsonNode.Parse(content) : null, content, response);
    }

    /// <summary>One commit on a new or existing branch, through the API.</summary>
    public async Task<string> Commit(string branch, string path, string text, string login = "dev")
    {
        if ((await Get($"/repos/octo/app/git/ref/heads/{branch}", login)).Status == 404)
        {
            var main = (await Get("/repos/octo/app/git/ref/heads/main", login)).Expect(200)["object"]["sha"]!.ToString();
            (await Post("/repos/octo/app/git/refs", new { @ref = "refs/heads/" + branch, sha = main }, login)).Expect(201);
        }

        var old = await Get($"/repos/octo/app/contents/{path}?ref={branch}", login);
        var sha = old.Status == 200 ? old["sha"].ToString() : null;
        var content = Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
        object body = sha is null ? new { message = $"Write {path}", content, branch } : new { message = $"Write {path}", content, branch, sha };
        return (await Put($"/repos/octo/app/contents/{path}", body, login)).Expect(sha is null ? 201 : 200)["commit"]["sha"]!.ToString();
    }

    public async Task<int> Pull(string branch, bool draft = false, string? body = null, string login = "dev") =>
        (int)(await Post("/repos/octo/app/pulls", new { title = "Change " + branch, head = branch, @base = "main", draft, body = body ?? "Why." }, login)).Expect(201)["number"];

    /// <summary>Asks until mergeability is known.</summary>
    public async Task<Reply> Settled(int number)
    {
        for (var i = 0; i < 200; i++)
        {
            var reply = (await Get($"/repos/octo/app/pulls/{number}")).Expect(200);
            if (reply.Json!["mergeable"] is not null)
            {
                return reply;
            }

            await Task.Yield();
        }

        throw new TimeoutException("Mergeability was never computed.");
    }

    public string CloneUrl(string? login = "dev", string repo = "octo/app") =>
        login is null ? $"{Server.BaseUrl}{repo}.git" : $"{Server.BaseUrl.Scheme}://x:{TokenOf(login)}@{Server.BaseUrl.Authority}/{repo}.git";

    /// <summary>Runs the real git; gives exit code and what it said.</summary>
    public static async Task<(int Code, string Output)> Git(string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo("git") { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])["-c", "user.name=Dev", "-c", "user.email=dev@test.example", "-c", "init.defaultBranch=main", .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["GIT_CONFIG_NOSYSTEM"] = "1";
        start.Environment["GIT_CONFIG_GLOBAL"] = "/dev/null";
        start.Environment["GIT_TERMINAL_PROMPT"] = "0";
        start.Environment.Remove("http_proxy");
        start.Environment.Remove("HTTP_PROXY");
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output + await error);
    }

    public string Scratch(string name) => Directory.CreateDirectory(Path.Combine(Folder, "scratch", name)).FullName;

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await Server.DisposeAsync();
        if (_ownsFolder)
        {
            Directory.Delete(Folder, recursive: true);
        }

        Gate.AssertClean();
    }
}
