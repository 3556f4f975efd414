using System.Text.Json.Nodes;
using Drella.Forge.Git;
using Drella.Forge.Merging;
using Drella.Forge.Pulls;
using Drella.Forge.Storage;

namespace Drella.Forge.Rest;

internal sealed class PullEndpoints(RepositoryFolder folder, PullService pulls, PullSync sync, MergeEngine merges)
{
    private const string Pulls = RestMap.Repo + "/pulls";
    private const string One = Pulls + "/{number}";

    public void Map(RestEdge api)
    {
        api.Get(Pulls, ForgeRole.Read, ListAsync);
        api.Post(Pulls, ForgeRole.Read, OpenAsync);
        api.Get(One, ForgeRole.Read, GetAsync);
        api.Patch(One, ForgeRole.Read, UpdateAsync);
        api.Get(One + "/commits", ForgeRole.Read, CommitsAsync);
        api.Get(One + "/files", ForgeRole.Read, FilesAsync);
        api.Get(One + "/merge", ForgeRole.Read, IsMergedAsync);
        api.Put(One + "/merge", ForgeRole.Write, MergeAsync);
        api.Put(One + "/update-branch", ForgeRole.Write, UpdateBranchAsync);
        api.Get(One + "/requested_reviewers", ForgeRole.Read, ReviewersAsync);
        api.Post(One + "/requested_reviewers", ForgeRole.Triage, c => SetReviewersAsync(c, add: true));
        api.Delete(One + "/requested_reviewers", ForgeRole.Triage, c => SetReviewersAsync(c, add: false));
    }

    private Task<PullRow> FindAsync(RestCall call) => pulls.GetAsync(call.Repo, call.Number(), call.Aborted);

    private async Task<RestResult> ListAsync(RestCall call)
    {
        await sync.ReconcileAsync(call.Repo, null, call.Aborted);
        var state = call.Query("state") ?? "open";
        if (state is not ("open" or "closed" or "all"))
        {
            throw ForgeRefusal.Invalid("PullRequest", "state");
        }

        var head = call.Query("head");
        var rows = call.Read((db, _) => db.Pulls(call.Repo.Id)).Where(p =>
            (state == "all" || p.State == state)
            && (head is null || head.Equals($"{call.Repo.Owner}:{p.HeadRef}", StringComparison.OrdinalIgnoreCase))
            && (call.Query("base") is not { } b || p.BaseRef == b));
        var sorted = IssueEndpoints.Sorted(call, rows, p => p.CreatedAt, p => p.UpdatedAt, p => p.Id);
        return call.Read((_, r) => RestResult.Page(call, sorted, p => r.PullSimple(call.Repo, p)));
    }

    private async Task<RestResult> OpenAsync(RestCall call)
    {
        var order = new NewPull(
            call.Required("PullRequest", "title"), call.Text("body"), call.Required("PullRequest", "head"), call.Required("PullRequest", "base"),
            call.Flag("draft") ?? false, call.Flag("maintainer_can_modify") ?? true);
        if (call.Role < ForgeRole.Write)
        {
            throw ForgeRefusal.Forbidden();
        }

        var pull = await pulls.OpenAsync(call.Repo, call.Caller, order, call.Aborted);
        return RestResult.Created(await RenderAsync(call, pull));
    }

    private async Task<JsonObject> RenderAsync(RestCall call, PullRow pull)
    {
        var figures = await pulls.FiguresAsync(call.Repo, pull, call.Aborted);
        return call.Read((_, r) => r.Pull(call.Repo, pull, figures));
    }

    private async Task<RestResult> GetAsync(RestCall call)
    {
        var pull = await FindAsync(call);
        if (!call.Accepts("diff") && !call.Accepts("patch"))
        {
            return RestResult.Ok(await RenderAsync(call, pull));
        }

        var git = folder.Open(call.Repo);
        var start = await pulls.ForkPointAsync(call.Repo, pull, call.Aborted);
        return call.Accepts("diff")
            ? RestResult.Text("application/vnd.github.diff; charset=utf-8", await git.DiffTextAsync(start, pull.HeadSha, call.Aborted))
            : RestResult.Text("application/vnd.github.patch; charset=utf-8", await git.PatchTextAsync(start, pull.HeadSha, call.Aborted));
    }

    private async Task<RestResult> UpdateAsync(RestCall call)
    {
        var pull = await FindAsync(call);
        if (pull.AuthorId != call.Caller.Id && call.Role < ForgeRole.Write)
        {
            throw ForgeRefusal.Forbidden();
        }

        var state = call.Text("state");
        if (state is not (null or "open" or "closed"))
        {
            throw ForgeRefusal.Invalid("PullRequest", "state");
        }

        var updated = await pulls.UpdateAsync(
            call.Repo, pull.Number, call.Caller, call.Text("title"), (call.Has("body"), call.Text("body")), state, call.Text("base"), call.Aborted);
        return RestResult.Ok(await RenderAsync(call, updated));
    }

    private async Task<RestResult> CommitsAsync(RestCall call)
    {
        var pull = await FindAsync(call);
        var start = await pulls.ForkPointAsync(call.Repo, pull, call.Aborted);
        var commits = await folder.Open(call.Repo).LogAsync(new LogQuery { Range = [pull.HeadSha, "^" + start], Limit = 250, OldestFirst = true }, call.Aborted);
        return call.Read((_, r) => RestResult.Page(call, commits, c => r.Commit(call.Repo, c)));
    }

    private async Task<RestResult> FilesAsync(RestCall call)
    {
        var pull = await FindAsync(call);
        var start = await pulls.ForkPointAsync(call.Repo, pull, call.Aborted);
        var files = await folder.Open(call.Repo).DiffAsync(start, pull.HeadSha, withPatch: true, call.Aborted);
        return call.Read((_, r) => RestResult.Page(call, [.. files.Take(3000)], f => r.DiffEntry(call.Repo, f, pull.HeadSha)));
    }

    private async Task<RestResult> IsMergedAsync(RestCall call) =>
        (await FindAsync(call)).MergedAt is not null ? RestResult.NoContent() : throw ForgeRefusal.NotFound();

    private async Task<RestResult> MergeAsync(RestCall call)
    {
        var method = call.Text("merge_method") switch
        {
            null or "merge" => MergeMethod.Merge,
            "squash" => MergeMethod.Squash,
            "rebase" => MergeMethod.Rebase,
            _ => throw ForgeRefusal.Invalid("PullRequest", "merge_method"),
        };
        var sha = await merges.MergeAsync(
            call.Repo, call.Number(), call.Caller, new MergeOrder(method, call.Text("sha"), call.Text("commit_title"), call.Text("commit_message")), call.Aborted);
        return RestResult.Ok(new JsonObject { ["sha"] = sha, ["merged"] = true, ["message"] = "Pull Request successfully merged" });
    }

    private async Task<RestResult> UpdateBranchAsync(RestCall call)
    {
        await merges.UpdateBranchAsync(call.Repo, call.Number(), call.Caller, call.Text("expected_head_sha"), call.Aborted);
        return new RestResult(202, new JsonObject
        {
            ["message"] = "Updating pull request branch.", ["url"] = call.Urls.PullApi(call.Repo.FullName, call.Number()),
        });
    }

    private async Task<RestResult> ReviewersAsync(RestCall call)
    {
        var pull = await FindAsync(call);
        return RestResult.Ok(call.Read((db, r) => new JsonObject
        {
            ["users"] = new JsonArray([.. db.RequestedReviewers(pull.Id).Select(r.User)]), ["teams"] = new JsonArray(),
        }));
    }

    private async Task<RestResult> SetReviewersAsync(RestCall call, bool add)
    {
        var pull = pulls.SetReviewers(call.Repo, await FindAsync(call), call.Texts("reviewers") ?? [], add, call.Caller);
        var json = call.Read((_, r) => r.PullSimple(call.Repo, pull));
        return add ? RestResult.Created(json) : RestResult.Ok(json);
    }
}
