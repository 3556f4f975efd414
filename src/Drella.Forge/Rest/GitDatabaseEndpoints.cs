using System.Text;
using System.Text.Json.Nodes;
using Drella.Forge.Git;
using Drella.Forge.Pulls;
using Drella.Forge.Rendering;
using Drella.Forge.Storage;

namespace Drella.Forge.Rest;

/// <summary>Refs, trees, blobs and commits, so that a client can commit without Git.</summary>
internal sealed class GitDatabaseEndpoints(Database database, RepositoryFolder folder, PushObserver observer, TimeProvider time)
{
    private const int MaxEntries = 100_000;

    public void Map(RestEdge api)
    {
        const string git = RestMap.Repo + "/git";
        api.Get(git + "/ref/{**name}", ForgeRole.Read, RefAsync);
        api.Get(git + "/matching-refs/{**name}", ForgeRole.Read, MatchingAsync);
        api.Post(git + "/refs", ForgeRole.Write, CreateRefAsync);
        api.Patch(git + "/refs/{**name}", ForgeRole.Write, c => MoveRefAsync(c, delete: false));
        api.Delete(git + "/refs/{**name}", ForgeRole.Write, c => MoveRefAsync(c, delete: true));
        api.Get(git + "/trees/{**sha}", ForgeRole.Read, TreeAsync);
        api.Post(git + "/trees", ForgeRole.Write, CreateTreeAsync);
        api.Get(git + "/blobs/{sha}", ForgeRole.Read, BlobAsync);
        api.Post(git + "/blobs", ForgeRole.Write, CreateBlobAsync);
        api.Get(git + "/commits/{sha}", ForgeRole.Read, CommitAsync);
        api.Post(git + "/commits", ForgeRole.Write, CreateCommitAsync);
    }

    private async Task<RestResult> RefAsync(RestCall call)
    {
        var name = "refs/" + call.Route("name");
        var git = folder.Open(call.Repo);
        var sha = GitNames.IsRefPart(name) ? await git.RefAsync(name, call.Aborted) : null;
        var info = sha is null ? null : await git.InspectAsync(sha, call.Aborted);
        return RestResult.Ok(call.Read((_, r) => r.GitRef(call.Repo, name, sha ?? throw ForgeRefusal.NotFound(), info!.Value.Type)));
    }

    private async Task<RestResult> MatchingAsync(RestCall call)
    {
        var prefix = "refs/" + call.Route("name");
        var refs = await folder.Open(call.Repo).RefsAsync("refs/heads", call.Aborted);
        var tags = await folder.Open(call.Repo).RefsAsync("refs/tags", call.Aborted);
        return RestResult.Ok(call.Read((_, r) => new JsonArray([.. refs.Concat(tags).Where(p => p.Key.StartsWith(prefix, StringComparison.Ordinal))
            .OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => r.GitRef(call.Repo, p.Key, p.Value))])));
    }

    private async Task<RestResult> CreateRefAsync(RestCall call)
    {
        var name = call.Required("Reference", "ref");
        var sha = await ShaAsync(call);
        if (!name.StartsWith("refs/", StringComparison.Ordinal) || name.Count(c => c == '/') < 2)
        {
            throw new ForgeRefusal(422, "Reference name must start with 'refs/' and have at least one more slash.", []);
        }

        await ApplyAsync(call, new RefCommand(GitNames.ZeroId, sha, name), "Reference already exists");
        return RestResult.Created(call.Read((_, r) => r.GitRef(call.Repo, name, sha)));
    }

    private async Task<RestResult> MoveRefAsync(RestCall call, bool delete)
    {
        var name = "refs/" + call.Route("name");
        var git = folder.Open(call.Repo);
        var old = (GitNames.IsRefPart(name) ? await git.RefAsync(name, call.Aborted) : null) ?? throw new ForgeRefusal(422, "Reference does not exist", []);
        if (delete)
        {
            await ApplyAsync(call, new RefCommand(old, GitNames.ZeroId, name), "Reference cannot be deleted");
            return RestResult.NoContent();
        }

        var sha = await ShaAsync(call);
        var command = new RefCommand(old, sha, name);
        var mustFastForward = call.Flag("force") != true || database.Read(db => PushPolicy.MustFastForward(db, call.Repo, [command]));
        if (mustFastForward && !await git.IsAncestorAsync(old, sha, call.Aborted))
        {
            throw new ForgeRefusal(422, "Update is not a fast forward", []);
        }

        await ApplyAsync(call, command, "Reference was moved by another client");
        return RestResult.Ok(call.Read((_, r) => r.GitRef(call.Repo, name, sha)));
    }

    private async Task ApplyAsync(RestCall call, RefCommand command, string whenStale)
    {
        if (database.Read(db => PushPolicy.Refuse(db, call.Repo, call.Role, command)) is { } refusal)
        {
            throw new ForgeRefusal(422, refusal, []);
        }

        if (!await folder.Open(call.Repo).MoveRefAsync(command.Name, command.IsDelete ? null : command.New, command.Old, call.Aborted))
        {
            throw new ForgeRefusal(422, whenStale, []);
        }

        await observer.AfterPushAsync(call.Repo, call.Caller, [command], CancellationToken.None);
    }

    private async Task<string> ShaAsync(RestCall call)
    {
        var sha = call.Required("Reference", "sha");
        return GitNames.IsObjectId(sha) && await folder.Open(call.Repo).InspectAsync(sha, call.Aborted) is { Type: "commit" }
            ? sha
            : throw new ForgeRefusal(422, "Object does not exist", []);
    }

    private async Task<RestResult> TreeAsync(RestCall call)
    {
        var git = folder.Open(call.Repo);
        var name = call.Route("sha");
        var tree = await git.CommitAsync(name, call.Aborted);
        tree = tree is not null ? (await git.ReadCommitAsync(tree, call.Aborted)).Tree
            : GitNames.IsObjectId(name) && await git.InspectAsync(name, call.Aborted) is { Type: "tree" } ? name : throw ForgeRefusal.NotFound();
        var entries = await git.TreeAsync(tree, call.Query("recursive") is not null, null, call.Aborted);
        return RestResult.Ok(Render(call, tree, entries));
    }

    private static JsonObject Render(RestCall call, string tree, IReadOnlyList<TreeEntry> entries)
    {
        JsonObject Entry(TreeEntry e)
        {
            var json = new JsonObject { ["path"] = e.Path, ["mode"] = e.Mode, ["type"] = e.Type, ["sha"] = e.Sha };
            if (e.Size is { } size)
            {
                json["size"] = size;
            }

            json["url"] = call.Urls.GitApi(call.Repo.FullName, e.Type + "s", e.Sha);
            return json;
        }

        return new JsonObject
        {
            ["sha"] = tree,
            ["url"] = call.Urls.GitApi(call.Repo.FullName, "trees", tree),
            ["tree"] = new JsonArray([.. entries.Take(MaxEntries).Select(Entry)]),
            ["truncated"] = entries.Count > MaxEntries,
        };
    }

    private async Task<RestResult> CreateTreeAsync(RestCall call)
    {
        var git = folder.Open(call.Repo);
        var baseTree = call.Text("base_tree");
        if (baseTree is not null && (!GitNames.IsObjectId(baseTree) || await git.InspectAsync(baseTree, call.Aborted) is not { Type: "tree" or "commit" }))
        {
            throw ForgeRefusal.Invalid("Tree", "base_tree");
        }

        var changes = new List<(string, string, string?)>();
        foreach (var node in call.Field("tree") as JsonArray ?? throw ForgeRefusal.Invalid("Tree", "tree", "missing_field"))
        {
            changes.Add(await ChangeAsync(call, git, node as JsonObject ?? throw ForgeRefusal.Invalid("Tree", "tree")));
        }

        var tree = await git.WriteTreeAsync(baseTree, changes, call.Aborted);
        return RestResult.Created(Render(call, tree, await git.TreeAsync(tree, recursive: false, null, call.Aborted)));
    }

    private static async Task<(string, string, string?)> ChangeAsync(RestCall call, GitRepository git, JsonObject entry)
    {
        string? Text(string field) => entry[field] is JsonValue v && v.TryGetValue<string>(out var text) ? text : null;
        var (path, mode) = (Text("path"), Text("mode") ?? "100644");
        if (path is null || !GitNames.IsTreePath(path) || mode is not ("100644" or "100755" or "120000"))
        {
            throw ForgeRefusal.Invalid("Tree", path is null ? "path" : "tree", "invalid", "tree.path contains a malformed path component or tree.mode is not supported");
        }

        if (Text("content") is { } content)
        {
            return (path, mode, await git.WriteBlobAsync(Encoding.UTF8.GetBytes(content), call.Aborted));
        }

        var sha = Text("sha");
        return sha is null || (GitNames.IsObjectId(sha) && await git.InspectAsync(sha, call.Aborted) is { Type: "blob" })
            ? (path, mode, sha)
            : throw ForgeRefusal.Invalid("Tree", "sha");
    }

    private async Task<RestResult> BlobAsync(RestCall call)
    {
        var sha = call.ObjectId("sha");
        var git = folder.Open(call.Repo);
        if (await git.InspectAsync(sha, call.Aborted) is not { Type: "blob" })
        {
            throw ForgeRefusal.NotFound();
        }

        var bytes = await git.ReadBlobAsync(sha, call.Aborted);
        return call.Accepts("raw") ? RestResult.Text("application/vnd.github.raw; charset=utf-8", bytes) : RestResult.Ok(new JsonObject
        {
            ["sha"] = sha,
            ["node_id"] = sha,
            ["size"] = bytes.Length,
            ["url"] = call.Urls.GitApi(call.Repo.FullName, "blobs", sha),
            ["content"] = Convert.ToBase64String(bytes),
            ["encoding"] = "base64",
        });
    }

    private async Task<RestResult> CreateBlobAsync(RestCall call)
    {
        var bytes = ContentEndpoints.Decode(call.Text("content") ?? throw ForgeRefusal.Invalid("Blob", "content", "missing_field"), call.Text("encoding") ?? "utf-8");
        var sha = await folder.Open(call.Repo).WriteBlobAsync(bytes, call.Aborted);
        return RestResult.Created(new JsonObject { ["sha"] = sha, ["url"] = call.Urls.GitApi(call.Repo.FullName, "blobs", sha) });
    }

    private async Task<RestResult> CommitAsync(RestCall call)
    {
        var git = folder.Open(call.Repo);
        var sha = call.ObjectId("sha");
        var commit = await git.InspectAsync(sha, call.Aborted) is { Type: "commit" } ? await git.ReadCommitAsync(sha, call.Aborted) : throw ForgeRefusal.NotFound();
        return RestResult.Ok(call.Read((_, r) => r.GitCommit(call.Repo, commit)));
    }

    private async Task<RestResult> CreateCommitAsync(RestCall call)
    {
        var git = folder.Open(call.Repo);
        var message = call.Required("Commit", "message");
        var tree = call.Required("Commit", "tree");
        var parents = call.Texts("parents") ?? [];
        if (!GitNames.IsObjectId(tree) || await git.InspectAsync(tree, call.Aborted) is not { Type: "tree" })
        {
            throw new ForgeRefusal(422, "Tree SHA does not exist", []);
        }

        foreach (var parent in parents)
        {
            if (!GitNames.IsObjectId(parent) || await git.InspectAsync(parent, call.Aborted) is not { Type: "commit" })
            {
                throw new ForgeRefusal(422, "Parent SHA does not exist or is not a commit object", []);
            }
        }

        var author = ContentEndpoints.Signature(call, "author", time) ?? ContentEndpoints.Signature(call.Caller, time);
        var committer = ContentEndpoints.Signature(call, "committer", time) ?? author;
        var sha = await git.WriteCommitAsync(tree, parents, message, author, committer, call.Aborted);
        var commit = await git.ReadCommitAsync(sha, call.Aborted);
        return RestResult.Created(call.Read((_, r) => r.GitCommit(call.Repo, commit)));
    }
}
