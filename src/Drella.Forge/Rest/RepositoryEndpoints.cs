using Dapper;
using System.Text.Json.Nodes;
using Drella.Forge.Git;
using Drella.Forge.Rendering;
using Drella.Forge.Storage;

namespace Drella.Forge.Rest;

internal sealed class RepositoryEndpoints(RepositoryFolder folder, TimeProvider time)
{
    public void Map(RestEdge api)
    {
        api.Get(RestMap.Repo, ForgeRole.Read, c => Task.FromResult(Render(c)));
        api.Patch(RestMap.Repo, ForgeRole.Admin, UpdateAsync);
        api.Get(RestMap.Repo + "/branches", ForgeRole.Read, BranchesAsync);
        api.Get(RestMap.Repo + "/branches/{**branch}", ForgeRole.Read, BranchAsync);
    }

    private static RestResult Render(RestCall call) => RestResult.Ok(call.Read((_, r) => r.Repository(call.Repo, call.Viewer)));

    private async Task<RestResult> UpdateAsync(RestCall call)
    {
        var branch = call.Text("default_branch");
        if (branch is not null)
        {
            var git = folder.Open(call.Repo);
            if (!GitNames.IsRefPart(branch) || await git.RefAsync("refs/heads/" + branch, call.Aborted) is null)
            {
                throw ForgeRefusal.Invalid("Repository", "default_branch");
            }

            await git.SetDefaultBranchAsync(branch, call.Aborted);
        }

        return RestResult.Ok(call.Write((db, r) =>
        {
            db.Execute(
                """
                UPDATE Repositories SET DefaultBranch = coalesce(@branch, DefaultBranch), Description = coalesce(@description, Description),
                  IsPrivate = coalesce(@isPrivate, IsPrivate), DeleteBranchOnMerge = coalesce(@delete, DeleteBranchOnMerge), UpdatedAt = @now WHERE Id = @Id
                """,
                new { call.Repo.Id, branch, description = call.Text("description"), isPrivate = call.Flag("private"), delete = call.Flag("delete_branch_on_merge"), now = time.Now() });
            return r.Repository(db.Repo(call.Repo.Id), call.Viewer);
        }));
    }

    private async Task<RestResult> BranchesAsync(RestCall call)
    {
        var refs = await folder.Open(call.Repo).RefsAsync("refs/heads", call.Aborted);
        return call.Read((db, r) => RestResult.Page(call, [.. refs.OrderBy(b => b.Key, StringComparer.Ordinal)], b =>
        {
            var name = b.Key["refs/heads/".Length..];
            return new JsonObject
            {
                ["name"] = name,
                ["commit"] = new JsonObject { ["sha"] = b.Value, ["url"] = r.Urls.CommitApi(call.Repo.FullName, b.Value) },
                ["protected"] = db.Protection(call.Repo.Id, name) is not null,
            };
        }));
    }

    private async Task<RestResult> BranchAsync(RestCall call)
    {
        var name = call.Route("branch");
        var git = folder.Open(call.Repo);
        var sha = GitNames.IsRefPart(name) ? await git.RefAsync("refs/heads/" + name, call.Aborted) : null;
        var commit = await git.ReadCommitAsync(sha ?? throw new ForgeRefusal(404, "Branch not found"), call.Aborted);
        return RestResult.Ok(call.Read((db, r) =>
        {
            var self = $"{r.Urls.RepoApi(call.Repo.FullName)}/branches/{Uri.EscapeDataString(name)}";
            var isProtected = db.Protection(call.Repo.Id, name) is not null;
            return new JsonObject
            {
                ["name"] = name,
                ["commit"] = r.Commit(call.Repo, commit),
                ["_links"] = new JsonObject { ["self"] = self, ["html"] = $"{r.Urls.RepoWeb(call.Repo.FullName)}/tree/{Urls.EscapePath(name)}" },
                ["protected"] = isProtected,
                ["protection"] = new JsonObject { ["enabled"] = isProtected },
                ["protection_url"] = self + "/protection",
            };
        }));
    }
}
