using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Drella.Forge.Git;
using Drella.Forge.Pulls;
using Drella.Forge.Rendering;
using Drella.Forge.Storage;

namespace Drella.Forge.Rest;

/// <summary>Files by path: read, write and delete, each write one commit.</summary>
internal sealed class ContentEndpoints(Database database, RepositoryFolder folder, PushObserver observer, TimeProvider time)
{
    public void Map(RestEdge api)
    {
        api.Get(RestMap.Repo + "/contents/{**path}", ForgeRole.Read, GetAsync);
        api.Put(RestMap.Repo + "/contents/{**path}", ForgeRole.Write, c => WriteAsync(c, delete: false));
        api.Delete(RestMap.Repo + "/contents/{**path}", ForgeRole.Write, c => WriteAsync(c, delete: true));
        api.Get(RestMap.Repo + "/readme", ForgeRole.Read, ReadmeAsync);
    }

    public static byte[] Decode(string content, string encoding)
    {
        try
        {
            return encoding == "base64" ? Convert.FromBase64String(content) : Encoding.UTF8.GetBytes(content);
        }
        catch (FormatException)
        {
            throw new ForgeRefusal(422, "content is not valid Base64", []);
        }
    }

    public static GitSignature Signature(UserRow user, TimeProvider time) => new(user.Name ?? user.Login, user.CommitEmail, Times.Iso(time.Now()));

    /// <summary>The identity a body names; null when it names none.</summary>
    public static GitSignature? Signature(RestCall call, string field, TimeProvider time)
    {
        if (call.Field(field) is not JsonObject identity)
        {
            return null;
        }

        string? Text(string name) => identity[name] is JsonValue v && v.TryGetValue<string>(out var text) ? text : null;
        bool Bad(string? text) => string.IsNullOrWhiteSpace(text) || text.AsSpan().IndexOfAny('\n', '\0', '<') >= 0 || text.Contains('>', StringComparison.Ordinal);
        var (name, email, date) = (Text("name"), Text("email"), Text("date"));
        if (Bad(name) || Bad(email) || (date is not null && !DateTimeOffset.TryParse(date, CultureInfo.InvariantCulture, out _)))
        {
            throw ForgeRefusal.Invalid("Commit", field);
        }

        return new GitSignature(name!, email!, date is null ? Times.Iso(time.Now()) : Times.Iso(DateTimeOffset.Parse(date, CultureInfo.InvariantCulture).ToUnixTimeMilliseconds()));
    }

    private async Task<RestResult> GetAsync(RestCall call)
    {
        var path = call.Route("path").Trim('/');
        var git = folder.Open(call.Repo);
        var revision = call.Query("ref") ?? call.Repo.DefaultBranch;
        var commit = await git.CommitAsync(revision, call.Aborted) ?? throw new ForgeRefusal(404, $"No commit found for the ref {revision}");
        if (path.Length > 0 && !GitNames.IsTreePath(path))
        {
            throw ForgeRefusal.NotFound();
        }

        var entry = path.Length == 0 ? null : await EntryAsync(git, commit, path, call.Aborted) ?? throw ForgeRefusal.NotFound();
        if (entry is null or { Type: "tree" })
        {
            var entries = await git.TreeAsync(commit, recursive: false, entry is null ? null : path + "/", call.Aborted);
            return RestResult.Ok(new JsonArray([.. entries.Select(e => Entry(call, e, revision))]));
        }

        return await FileAsync(call, git, entry, revision);
    }

    private static async Task<RestResult> FileAsync(RestCall call, GitRepository git, TreeEntry entry, string revision)
    {
        var bytes = await git.ReadBlobAsync(entry.Sha, call.Aborted);
        if (call.Accepts("raw"))
        {
            return RestResult.Text("application/vnd.github.raw; charset=utf-8", bytes);
        }

        var json = Entry(call, entry, revision);
        json["encoding"] = "base64";
        json["content"] = Convert.ToBase64String(bytes);
        return RestResult.Ok(json);
    }

    private static async Task<TreeEntry?> EntryAsync(GitRepository git, string commit, string path, CancellationToken cancellationToken) =>
        await git.TreeAsync(commit, recursive: false, path, cancellationToken) is [var entry, ..] ? entry : null;

    private async Task<RestResult> ReadmeAsync(RestCall call)
    {
        var git = folder.Open(call.Repo);
        var revision = call.Query("ref") ?? call.Repo.DefaultBranch;
        var commit = await git.CommitAsync(revision, call.Aborted) ?? throw ForgeRefusal.NotFound();
        var entries = await git.TreeAsync(commit, recursive: false, null, call.Aborted);
        var readme = entries.FirstOrDefault(e => e.Type == "blob" && e.Path.StartsWith("readme", StringComparison.OrdinalIgnoreCase)) ?? throw ForgeRefusal.NotFound();
        return await FileAsync(call, git, readme, revision);
    }

    private static JsonObject Entry(RestCall call, TreeEntry entry, string revision)
    {
        var repo = call.Repo.FullName;
        var self = call.Urls.ContentsApi(repo, entry.Path, revision);
        var git = call.Urls.GitApi(repo, entry.Type == "tree" ? "trees" : "blobs", entry.Sha);
        var html = call.Urls.BlobWeb(repo, revision, entry.Path);
        return new JsonObject
        {
            ["name"] = entry.Path.Split('/')[^1],
            ["path"] = entry.Path,
            ["sha"] = entry.Sha,
            ["size"] = entry.Size ?? 0,
            ["url"] = self,
            ["html_url"] = html,
            ["git_url"] = git,
            ["download_url"] = entry.Type == "tree" ? null : call.Urls.RawWeb(repo, revision, entry.Path),
            ["type"] = entry.Type == "tree" ? "dir" : entry.Mode == "160000" ? "submodule" : "file",
            ["_links"] = new JsonObject { ["self"] = self, ["git"] = git, ["html"] = html },
        };
    }

    private async Task<RestResult> WriteAsync(RestCall call, bool delete)
    {
        var path = call.Route("path").Trim('/');
        var branch = call.Text("branch") ?? call.Repo.DefaultBranch;
        var message = call.Required("Commit", "message");
        if (!GitNames.IsTreePath(path) || !GitNames.IsRefPart(branch))
        {
            throw ForgeRefusal.Invalid("Commit", "path", "invalid", "path contains a malformed path component");
        }

        var git = folder.Open(call.Repo);
        var old = await git.RefAsync("refs/heads/" + branch, call.Aborted);
        if (old is null && (branch != call.Repo.DefaultBranch || (await git.RefsAsync("refs/heads", call.Aborted)).Count > 0))
        {
            throw new ForgeRefusal(404, $"Branch {branch} not found");
        }

        var before = old is null ? null : await EntryAsync(git, old, path, call.Aborted);
        CheckSha(call, before, path, delete);
        var blob = delete ? null : await git.WriteBlobAsync(Decode(call.Text("content") ?? throw ForgeRefusal.Invalid("Commit", "content", "missing_field"), "base64"), call.Aborted);
        var tree = await git.WriteTreeAsync(old, [(path, before?.Mode ?? "100644", blob)], call.Aborted);
        var committer = Signature(call, "committer", time) ?? Signature(call.Caller, time);
        var author = Signature(call, "author", time) ?? committer;
        var sha = await git.WriteCommitAsync(tree, old is null ? [] : [old], message, author, committer, call.Aborted);
        var command = new RefCommand(old ?? GitNames.ZeroId, sha, "refs/heads/" + branch);
        if (database.Read(db => PushPolicy.Refuse(db, call.Repo, call.Role, command)) is { } refusal)
        {
            throw ForgeRefusal.Conflict(refusal);
        }

        if (!await git.MoveRefAsync(command.Name, sha, command.Old, call.Aborted))
        {
            throw ForgeRefusal.Conflict($"{branch} was modified by another client");
        }

        await observer.AfterPushAsync(call.Repo, call.Caller, [command], CancellationToken.None);
        var commit = await git.ReadCommitAsync(sha, CancellationToken.None);
        var after = delete ? null : await EntryAsync(git, sha, path, CancellationToken.None);
        var body = new JsonObject
        {
            ["content"] = after is null ? null : Entry(call, after, branch),
            ["commit"] = call.Read((_, r) => r.GitCommit(call.Repo, commit)),
        };
        return before is null ? RestResult.Created(body) : RestResult.Ok(body);
    }

    private static void CheckSha(RestCall call, TreeEntry? before, string path, bool delete)
    {
        if (before is null && delete)
        {
            throw ForgeRefusal.NotFound();
        }

        if (before is not null && call.Text("sha") is null)
        {
            throw new ForgeRefusal(422, "Invalid request.\n\n\"sha\" wasn't supplied.", []);
        }

        if ((before is not null && call.Text("sha") != before.Sha) || before is { Type: not "blob" })
        {
            throw ForgeRefusal.Conflict($"{path} does not match {call.Text("sha")}");
        }
    }
}
