using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Drella.Core.Forges;
using Drella.Drivers.Forges.GitHub;
using Drella.Forge;
using Drella.Testing.Contracts;
using Drella.Testing.OpenApi;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drella.Drivers.Tests.Forges.GitHub;

/// <summary>The built-in forge, with every request of the driver and every answer of the forge judged by GitHub's description.</summary>
internal sealed class BuiltInWorld : ForgeWorld
{
    private readonly DirectoryInfo _folder;
    private readonly ForgeServer _server;
    private readonly HttpClient _person;
    private readonly GitHubForge[] _forges;

    private BuiltInWorld(DirectoryInfo folder, ForgeServer server, OpenApiGate gate)
    {
        (_folder, _server) = (folder, server);
        _forges = [Connect("bot", gate), Connect("person", gate), Connect("reader", gate)];
        _person = new HttpClient { BaseAddress = new Uri(server.BaseUrl, "api/v3/repos/octo/product/") };
        _person.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", server.Admin.IssueToken("person", "world"));
        _person.DefaultRequestHeaders.UserAgent.ParseAdd("world");
    }

    public override IForge Bot => _forges[0];

    public override IForge Person => _forges[1];

    public override IForge Reader => _forges[2];

    public override RepoName Repo { get; } = RepoName.Parse("octo/product");

    public override RepoName Hidden { get; } = RepoName.Parse("octo/hidden");

    public override string OutsiderLogin => "outsider";

    public static async Task<BuiltInWorld> StartAsync(OpenApiGate gate, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("drella-forge-");
        var server = await ForgeServer.StartAsync(
            new ForgeOptions { DataFolder = folder.FullName, Middleware = [OpenApiMiddleware.For(gate)] }, TimeProvider.System,
            NullLoggerFactory.Instance, cancellationToken);
        var admin = server.Admin;
        foreach (var login in (string[])["octo", "person", "reader", "outsider"])
        {
            admin.EnsureUser(login);
        }

        admin.EnsureUser("bot", isBot: true);
        var files = new Dictionary<string, string> { ["README.md"] = "one\ntwo\nthree\n", ["in-progress/spec.md"] = "# Spec\n" };
        await admin.EnsureRepositoryAsync("octo", "product", files, isPrivate: true, cancellationToken);
        await admin.EnsureRepositoryAsync("octo", "hidden", files, isPrivate: true, cancellationToken);
        admin.Grant("octo", "product", "bot", ForgeRole.Write);
        admin.Grant("octo", "product", "person", ForgeRole.Admin);
        admin.Grant("octo", "product", "reader", ForgeRole.Read);
        return new BuiltInWorld(folder, server, gate);
    }

    public override async Task<string> CommitAsync(string branch, string path, string content, CancellationToken cancellationToken)
    {
        var isNew = await Bot.BranchHeadAsync(Repo, branch, cancellationToken) is null;
        var head = (await Bot.BranchHeadAsync(Repo, isNew ? "main" : branch, cancellationToken))!;
        var parent = await _person.GetFromJsonAsync<JsonObject>($"git/commits/{head}", cancellationToken);
        var blob = await PostAsync("git/blobs", new JsonObject { ["content"] = System.Convert.ToBase64String(Encoding.UTF8.GetBytes(content)), ["encoding"] = "base64" }, cancellationToken);
        var tree = await PostAsync("git/trees", new JsonObject
        {
            ["base_tree"] = (string)parent!["tree"]!["sha"]!,
            ["tree"] = new JsonArray(new JsonObject { ["path"] = path, ["mode"] = "100644", ["type"] = "blob", ["sha"] = Sha(blob) }),
        }, cancellationToken);
        var commit = Sha(await PostAsync(
            "git/commits", new JsonObject { ["message"] = "Change " + path, ["tree"] = Sha(tree), ["parents"] = new JsonArray(head) }, cancellationToken));
        if (isNew)
        {
            await PostAsync("git/refs", new JsonObject { ["ref"] = "refs/heads/" + branch, ["sha"] = commit }, cancellationToken);
        }
        else
        {
            using var moved = await _person.PatchAsJsonAsync($"git/refs/heads/{branch}", new JsonObject { ["sha"] = commit }, cancellationToken);
            moved.EnsureSuccessStatusCode();
        }

        return commit;
    }

    public override async Task<int> OpenIssueAsync(string title, string body, IReadOnlyList<string> labels, CancellationToken cancellationToken) =>
        (int)(await PostAsync("issues", new JsonObject
        {
            ["title"] = title,
            ["body"] = body,
            ["labels"] = new JsonArray([.. labels.Select(l => (JsonNode?)l)]),
        }, cancellationToken))["number"]!;

    public override async Task MergeAsync(int number, CancellationToken cancellationToken)
    {
        using var merged = await _person.PutAsJsonAsync($"pulls/{number}/merge", new JsonObject { ["merge_method"] = "merge" }, cancellationToken);
        merged.EnsureSuccessStatusCode();
    }

    public override async Task<IReadOnlyList<string>> ReactionsAsync(int number, CancellationToken cancellationToken) =>
        [.. (await _person.GetFromJsonAsync<JsonArray>(string.Create(CultureInfo.InvariantCulture, $"issues/{number}/reactions"), cancellationToken))!
            .Select(r => (string)r!["content"]!)];

    public override async Task<IReadOnlyList<string>> WebhooksAsync(CancellationToken cancellationToken) =>
        [.. (await _person.GetFromJsonAsync<JsonArray>("hooks", cancellationToken))!.Select(h => (string)h!["config"]!["url"]!)];

    public override async ValueTask DisposeAsync()
    {
        foreach (var forge in _forges)
        {
            forge.Dispose();
        }

        _person.Dispose();
        await _server.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private GitHubForge Connect(string login, OpenApiGate gate) => new(
        new GitHubOptions
        {
            Name = login,
            ApiUrl = new Uri(_server.BaseUrl, "api/v3").AbsoluteUri,
            Token = _server.Admin.IssueToken(login, "driver"),
        },
        new OpenApiHandler(gate) { InnerHandler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false } },
        TimeProvider.System, NullLogger<GitHubForge>.Instance);

    private async Task<JsonObject> PostAsync(string path, JsonObject body, CancellationToken cancellationToken)
    {
        using var response = await _person.PostAsJsonAsync(path, body, cancellationToken);
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        return response.IsSuccessStatusCode ? JsonNode.Parse(text)!.AsObject() : throw new JsonException($"{path}: {response.StatusCode} {text}");
    }

    private static string Sha(JsonObject answer) => (string)answer["sha"]!;
}
