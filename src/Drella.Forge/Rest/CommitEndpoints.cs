using System.Text;
using System.Text.Json.Nodes;
using Drella.Forge.Git;
using Drella.Forge.Storage;

namespace Drella.Forge.Rest;

internal sealed class CommitEndpoints(RepositoryFolder folder)
{
    public void Map(RestEdge api)
    {
        api.Get(RestMap.Repo + "/commits", ForgeRole.Read, ListAsync);
        api.Get(RestMap.Repo + "/commits/{**rest}", ForgeRole.Read, DispatchAsync);
        api.Get(RestMap.Repo + "/compare/{**range}", ForgeRole.Read, CompareAsync);
    }

    public static JsonArray RenderFiles(RestCall call, IReadOnlyList<DiffFile> files, string head) =>
        call.Read((_, r) => new JsonArray([.. files.Take(300).Select(f => r.DiffEntry(call.Repo, f, head))]));

    private async Task<RestResult> ListAsync(RestCall call)
    {
        var git = folder.Open(call.Repo);
        var start = call.Query("sha") ?? call.Repo.DefaultBranch;
        var sha = await git.CommitAsync(start, call.Aborted)
            ?? throw (call.Query("sha") is null ? ForgeRefusal.Conflict("Git Repository is empty.") : ForgeRefusal.NotFound());
        var (page, size) = call.Paging();
        var query = new LogQuery
        {
            Range = [sha], Skip = (page - 1) * size, Limit = size + 1, Path = call.Query("path"), Since = Date(call, "since"), Until = Date(call, "until"), Author = call.Query("author"),
        };
        var commits = await git.LogAsync(query, call.Aborted);
        var last = commits.Count > size ? page + 1 : page;
        return RestResult.Ok(call.Read((_, r) => new JsonArray([.. commits.Take(size).Select(c => r.Commit(call.Repo, c))])))
            with { Link = RestResult.LinkHeader(call, page, last) };
    }

    private static string? Date(RestCall call, string name) =>
        call.Query(name) is { } text && DateTimeOffset.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out _) ? text : null;

    // A ref may hold slashes, so what follows it is recognised by its last segment.
    private async Task<RestResult> DispatchAsync(RestCall call)
    {
        var rest = call.Route("rest");
        var slash = rest.LastIndexOf('/');
        var (name, kind) = slash < 0 ? (rest, "") : (rest[..slash], rest[(slash + 1)..]);
        var git = folder.Open(call.Repo);
        if (kind is not ("status" or "statuses" or "check-runs" or "check-suites" or "pulls"))
        {
            return await OneAsync(call, git, rest);
        }

        var sha = await git.CommitAsync(name, call.Aborted) ?? throw new ForgeRefusal(404, $"No commit found for SHA: {name}");
        return kind switch
        {
            "status" => CheckEndpoints.Combined(call, sha),
            "statuses" => call.Read((db, r) => RestResult.Page(call, db.StatusesOf(call.Repo.Id, sha), s => r.Status(call.Repo, s))),
            "check-runs" => CheckEndpoints.Runs(call, sha),
            "check-suites" => RestResult.Ok(new JsonObject { ["total_count"] = 0, ["check_suites"] = new JsonArray() }),
            _ => await PullsAsync(call, git, sha),
        };
    }

    private static async Task<RestResult> OneAsync(RestCall call, GitRepository git, string name)
    {
        var sha = await git.CommitAsync(name, call.Aborted) ?? throw new ForgeRefusal(422, $"No commit found for SHA: {name}", []);
        if (call.Accepts("sha"))
        {
            return RestResult.Text("application/vnd.github.sha; charset=utf-8", Encoding.ASCII.GetBytes(sha));
        }

        var commit = await git.ReadCommitAsync(sha, call.Aborted);
        var parent = commit.Parents.Count > 0 ? commit.Parents[0] : null;
        if (call.Accepts("diff"))
        {
            return RestResult.Text("application/vnd.github.diff; charset=utf-8", await git.DiffTextAsync(parent, sha, call.Aborted));
        }

        var files = await git.DiffAsync(parent, sha, withPatch: true, call.Aborted);
        var json = call.Read((_, r) => r.Commit(call.Repo, commit));
        json["stats"] = new JsonObject
        {
            ["total"] = files.Sum(f => f.Additions + f.Deletions), ["additions"] = files.Sum(f => f.Additions), ["deletions"] = files.Sum(f => f.Deletions),
        };
        json["files"] = RenderFiles(call, files, sha);
        return RestResult.Ok(json);
    }

    private static async Task<RestResult> PullsAsync(RestCall call, GitRepository git, string sha)
    {
        var found = new List<PullRow>();
        foreach (var pull in call.Read((db, _) => db.Pulls(call.Repo.Id)))
        {
            if (pull.MergeSha == sha || (await git.IsAncestorAsync(sha, pull.HeadSha, call.Aborted) && !await git.IsAncestorAsync(sha, pull.BaseSha, call.Aborted)))
            {
                found.Add(pull);
            }
        }

        return call.Read((_, r) => RestResult.Page(call, found, p => r.PullSimple(call.Repo, p)));
    }

    private async Task<RestResult> CompareAsync(RestCall call)
    {
        var parts = call.Route("range").Split("...", 2);
        var git = folder.Open(call.Repo);
        var from = await git.CommitAsync(Local(call, parts[0]), call.Aborted) ?? throw ForgeRefusal.NotFound();
        var to = parts.Length == 2 ? await git.CommitAsync(Local(call, parts[1]), call.Aborted) ?? throw ForgeRefusal.NotFound() : throw ForgeRefusal.NotFound();
        var middle = await git.MergeBaseAsync(from, to, call.Aborted) ?? throw new ForgeRefusal(404, "No common ancestor between the two commits.");
        if (call.Accepts("diff"))
        {
            return RestResult.Text("application/vnd.github.diff; charset=utf-8", await git.DiffTextAsync(middle, to, call.Aborted));
        }

        if (call.Accepts("patch"))
        {
            return RestResult.Text("application/vnd.github.patch; charset=utf-8", await git.PatchTextAsync(middle, to, call.Aborted));
        }

        var (page, size) = call.Query("page") is null && call.Query("per_page") is null ? (1, 250) : call.Paging();
        var ahead = await git.CountAsync([to, "^" + middle], call.Aborted);
        var behind = await git.CountAsync([from, "^" + middle], call.Aborted);
        var commits = await git.LogAsync(new LogQuery { Range = [to, "^" + middle], Skip = (page - 1) * size, Limit = size, OldestFirst = true }, call.Aborted);
        var files = await git.DiffAsync(middle, to, withPatch: true, call.Aborted);
        var (baseCommit, mergeBase) = (await git.ReadCommitAsync(from, call.Aborted), await git.ReadCommitAsync(middle, call.Aborted));
        var api = $"{call.Urls.RepoApi(call.Repo.FullName)}/compare/{from}...{to}";
        var web = $"{call.Urls.RepoWeb(call.Repo.FullName)}/compare/{from}...{to}";
        return RestResult.Ok(call.Read((_, r) => new JsonObject
        {
            ["url"] = api,
            ["html_url"] = web,
            ["permalink_url"] = web,
            ["diff_url"] = web + ".diff",
            ["patch_url"] = web + ".patch",
            ["base_commit"] = r.Commit(call.Repo, baseCommit),
            ["merge_base_commit"] = r.Commit(call.Repo, mergeBase),
            ["status"] = (ahead, behind) switch { (0, 0) => "identical", (_, 0) => "ahead", (0, _) => "behind", _ => "diverged" },
            ["ahead_by"] = ahead,
            ["behind_by"] = behind,
            ["total_commits"] = ahead,
            ["commits"] = new JsonArray([.. commits.Select(c => r.Commit(call.Repo, c))]),
            ["files"] = RenderFiles(call, files, to),
        }));
    }

    private static string Local(RestCall call, string side) =>
        side.StartsWith(call.Repo.Owner + ":", StringComparison.OrdinalIgnoreCase) ? side[(call.Repo.Owner.Length + 1)..] : side;
}
