using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Dapper;
using Drella.Forge.Issues;
using Drella.Forge.Storage;

namespace Drella.Forge.Rest;

internal sealed partial class LabelEndpoints(Database database, IssueService issues)
{
    public void Map(RestEdge api)
    {
        const string labels = RestMap.Repo + "/labels";
        const string ofIssue = RestMap.Repo + "/issues/{number}/labels";
        api.Get(labels, ForgeRole.Read, c => Task.FromResult(c.Read((db, r) => RestResult.Page(
            c, db.Query<LabelRow>("SELECT Id, Name, Color, Description FROM Labels WHERE RepoId = @Id ORDER BY Name", new { c.Repo.Id }).AsList(), l => r.Label(c.Repo, l)))));
        api.Post(labels, ForgeRole.Triage, Create);
        api.Get(labels + "/{name}", ForgeRole.Read, c => Task.FromResult(RestResult.Ok(c.Read((_, r) => r.Label(c.Repo, Find(c))))));
        api.Patch(labels + "/{name}", ForgeRole.Triage, Update);
        api.Delete(labels + "/{name}", ForgeRole.Triage, Delete);
        api.Get(ofIssue, ForgeRole.Read, c => Task.FromResult(Render(c, Issue(c))));
        api.Post(ofIssue, ForgeRole.Triage, c => Change(c, _ => false));
        api.Put(ofIssue, ForgeRole.Triage, c => Change(c, _ => true));
        api.Delete(ofIssue, ForgeRole.Triage, c =>
        {
            issues.ChangeLabels(c.Repo, Issue(c), c.Caller, [], _ => true);
            return Task.FromResult(RestResult.NoContent());
        });
        api.Delete(ofIssue + "/{name}", ForgeRole.Triage, RemoveOne);
    }

    private IssueRow Issue(RestCall call) => database.Read(db => db.FindIssue(call.Repo.Id, call.Number())) ?? throw ForgeRefusal.NotFound();

    private LabelRow Find(RestCall call) => database.Read(db => db.FindLabel(call.Repo.Id, call.Route("name"))) ?? throw ForgeRefusal.NotFound();

    private static RestResult Render(RestCall call, IssueRow issue) => RestResult.Ok(call.Read((_, r) => r.Labels(call.Repo, issue.Id)));

    private Task<RestResult> Change(RestCall call, Func<string, bool> remove)
    {
        var issue = Issue(call);
        issues.ChangeLabels(call.Repo, issue, call.Caller, call.Texts("labels") ?? [], remove);
        return Task.FromResult(Render(call, issue));
    }

    private Task<RestResult> RemoveOne(RestCall call)
    {
        var (issue, name) = (Issue(call), call.Route("name"));
        if (!database.Read(db => db.LabelsOf(issue.Id)).Any(l => l.Name.Equals(name, StringComparison.OrdinalIgnoreCase)))
        {
            throw new ForgeRefusal(404, "Label does not exist");
        }

        issues.ChangeLabels(call.Repo, issue, call.Caller, [], l => l.Equals(name, StringComparison.OrdinalIgnoreCase));
        return Task.FromResult(Render(call, issue));
    }

    private static Task<RestResult> Create(RestCall call)
    {
        var name = call.Required("Label", "name");
        var color = Color(call) ?? "ededed";
        return Task.FromResult(RestResult.Created(call.Write((db, r) =>
        {
            if (name.Length > 50 || db.FindLabel(call.Repo.Id, name) is not null)
            {
                throw ForgeRefusal.Invalid("Label", "name", name.Length > 50 ? "invalid" : "already_exists");
            }

            db.Execute(
                "INSERT INTO Labels (RepoId, Name, Color, Description) VALUES (@Id, @name, @color, @description)",
                new { call.Repo.Id, name, color, description = call.Text("description") });
            return r.Label(call.Repo, db.FindLabel(call.Repo.Id, name)!);
        })));
    }

    private Task<RestResult> Update(RestCall call)
    {
        var label = Find(call);
        var name = call.Text("new_name") ?? label.Name;
        return Task.FromResult(RestResult.Ok(call.Write((db, r) =>
        {
            if (db.FindLabel(call.Repo.Id, name) is { } other && other.Id != label.Id)
            {
                throw ForgeRefusal.Invalid("Label", "name", "already_exists");
            }

            db.Execute(
                "UPDATE Labels SET Name = @name, Color = coalesce(@color, Color), Description = coalesce(@description, Description) WHERE Id = @Id",
                new { label.Id, name, color = Color(call), description = call.Text("description") });
            return r.Label(call.Repo, db.FindLabel(call.Repo.Id, name)!);
        })));
    }

    private Task<RestResult> Delete(RestCall call)
    {
        var label = Find(call);
        database.Write(db => db.Execute("DELETE FROM Labels WHERE Id = @Id", new { label.Id }));
        return Task.FromResult(RestResult.NoContent());
    }

    private static string? Color(RestCall call) => call.Text("color") is not { } color ? null
        : ColorPattern().IsMatch(color) ? color.ToLowerInvariant() : throw ForgeRefusal.Invalid("Label", "color");

    [GeneratedRegex("^[0-9a-fA-F]{6}\\z", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex ColorPattern();
}
