using System.Text.Json.Nodes;
using Dapper;
using Drella.Forge.Issues;
using Drella.Forge.Pulls;
using Drella.Forge.Rendering;
using Drella.Forge.Storage;

namespace Drella.Forge.Rest;

internal sealed class IssueEndpoints(Database database, IssueService issues, PullService pulls)
{
    private const string Issues = RestMap.Repo + "/issues";

    public void Map(RestEdge api)
    {
        api.Get(Issues, ForgeRole.Read, List);
        api.Post(Issues, ForgeRole.Read, Create);
        api.Get(Issues + "/comments", ForgeRole.Read, RepoComments);
        api.Get(Issues + "/comments/{id}", ForgeRole.Read, c => Task.FromResult(RestResult.Ok(c.Read((db, r) => r.Comment(c.Repo, Comment(c))))));
        api.Patch(Issues + "/comments/{id}", ForgeRole.Read, EditComment);
        api.Delete(Issues + "/comments/{id}", ForgeRole.Read, DeleteComment);
        api.Get(Issues + "/{number}", ForgeRole.Read, c => Task.FromResult(RestResult.Ok(c.Read((_, r) => r.Issue(c.Repo, Find(c))))));
        api.Patch(Issues + "/{number}", ForgeRole.Read, UpdateAsync);
        api.Get(Issues + "/{number}/comments", ForgeRole.Read, Comments);
        api.Post(Issues + "/{number}/comments", ForgeRole.Read, AddComment);
        api.Get(Issues + "/{number}/timeline", ForgeRole.Read, Timeline);
        api.Post(Issues + "/{number}/assignees", ForgeRole.Triage, c => Assign(c, add: true));
        api.Delete(Issues + "/{number}/assignees", ForgeRole.Triage, c => Assign(c, add: false));
        MapReactions(api, Issues + "/{number}", "issue", c => Find(c).Id);
        MapReactions(api, Issues + "/comments/{id}", "comment", c => Comment(c).Id);
        MapReactions(api, RestMap.Repo + "/pulls/comments/{id}", "review_comment", c =>
            database.Read(db => db.FindReviewComment(c.Repo.Id, c.Id("id")))?.Id ?? throw ForgeRefusal.NotFound());
    }

    private IssueRow Find(RestCall call) => database.Read(db => db.FindIssue(call.Repo.Id, call.Number())) ?? throw ForgeRefusal.NotFound();

    private CommentRow Comment(RestCall call) => database.Read(db => db.FindComment(call.Repo.Id, call.Id("id"))) ?? throw ForgeRefusal.NotFound();

    private CommentRow OwnComment(RestCall call)
    {
        var comment = Comment(call);
        return comment.AuthorId == call.Caller.Id || call.Role >= ForgeRole.Maintain ? comment : throw ForgeRefusal.Forbidden();
    }

    private static Task<RestResult> List(RestCall call) => Task.FromResult(call.Read((db, r) =>
    {
        var state = call.Query("state") ?? "open";
        var labels = call.Query("labels")?.Split(',') ?? [];
        var creator = call.Query("creator") is { } login ? db.FindUser(login)?.Id ?? -1 : (long?)null;
        var rows = db.Query<IssueRow>(
            """
            SELECT * FROM Issues WHERE RepoId = @repo AND (@state = 'all' OR State = @state) AND (@since IS NULL OR UpdatedAt >= @since)
              AND (@creator IS NULL OR AuthorId = @creator)
            """,
            new { repo = call.Repo.Id, state, since = call.Since(), creator });
        var filtered = rows.Where(i => labels.Length == 0 || labels.All(l => db.LabelsOf(i.Id).Any(x => x.Name.Equals(l, StringComparison.OrdinalIgnoreCase))));
        return RestResult.Page(call, Sorted(call, filtered, i => i.CreatedAt, i => i.UpdatedAt, i => i.Id), i => r.Issue(call.Repo, i));
    }));

    public static IReadOnlyList<T> Sorted<T>(RestCall call, IEnumerable<T> rows, Func<T, long> created, Func<T, long> updated, Func<T, long> id, string order = "desc")
    {
        var key = call.Query("sort") == "updated" ? updated : created;
        return (call.Query("direction") ?? order) == "asc" ? [.. rows.OrderBy(key).ThenBy(id)] : [.. rows.OrderByDescending(key).ThenByDescending(id)];
    }

    private Task<RestResult> Create(RestCall call)
    {
        var issue = issues.Create(call.Repo, call.Caller, call.Required("Issue", "title"), call.Text("body"), call.Texts("labels"), call.Texts("assignees"));
        return Task.FromResult(RestResult.Created(call.Read((_, r) => r.Issue(call.Repo, issue))));
    }

    private async Task<RestResult> UpdateAsync(RestCall call)
    {
        var issue = Find(call);
        if (issue.AuthorId != call.Caller.Id && call.Role < ForgeRole.Triage)
        {
            throw ForgeRefusal.Forbidden();
        }

        var state = call.Text("state");
        if (state is not (null or "open" or "closed"))
        {
            throw ForgeRefusal.Invalid("Issue", "state");
        }

        if (issue.IsPull && (state is not null || call.Has("title") || call.Has("body")))
        {
            await pulls.UpdateAsync(call.Repo, issue.Number, call.Caller, call.Text("title"), (call.Has("body"), call.Text("body")), state, null, call.Aborted);
        }

        var updated = issue.IsPull
            ? issues.Update(call.Repo, issue, call.Caller, null, default, null, null, call.Texts("labels"), call.Texts("assignees"))
            : issues.Update(
                call.Repo, issue, call.Caller, call.Text("title"), (call.Has("body"), call.Text("body")), state, call.Text("state_reason"), call.Texts("labels"), call.Texts("assignees"));
        return RestResult.Ok(call.Read((_, r) => r.Issue(call.Repo, updated)));
    }

    private static Task<RestResult> RepoComments(RestCall call) => Task.FromResult(call.Read((db, r) =>
    {
        var since = call.Since();
        var rows = db.CommentsOfRepo(call.Repo.Id).Where(c => since is null || c.UpdatedAt >= since);
        return RestResult.Page(call, Sorted(call, rows, c => c.CreatedAt, c => c.UpdatedAt, c => c.Id, "asc"), c => r.Comment(call.Repo, c));
    }));

    private Task<RestResult> Comments(RestCall call)
    {
        var issue = Find(call);
        var since = call.Since();
        return Task.FromResult(call.Read((db, r) => RestResult.Page(
            call, [.. db.CommentsOf(issue.Id).Where(c => since is null || c.UpdatedAt >= since)], c => r.Comment(call.Repo, c))));
    }

    private Task<RestResult> AddComment(RestCall call)
    {
        var comment = issues.Comment(call.Repo, Find(call), call.Caller, Body(call));
        return Task.FromResult(RestResult.Created(call.Read((_, r) => r.Comment(call.Repo, comment))));
    }

    public static string Body(RestCall call)
    {
        var body = call.Required("IssueComment", "body");
        return body.Length <= 65_536 ? body : throw ForgeRefusal.Invalid("IssueComment", "body", "custom", "body is too long (maximum is 65536 characters)");
    }

    private Task<RestResult> EditComment(RestCall call)
    {
        var comment = issues.EditComment(call.Repo, OwnComment(call), call.Caller, Body(call));
        return Task.FromResult(RestResult.Ok(call.Read((_, r) => r.Comment(call.Repo, comment))));
    }

    private Task<RestResult> DeleteComment(RestCall call)
    {
        issues.DeleteComment(call.Repo, OwnComment(call), call.Caller);
        return Task.FromResult(RestResult.NoContent());
    }

    private Task<RestResult> Timeline(RestCall call)
    {
        var issue = Find(call);
        return Task.FromResult(call.Read((db, r) =>
        {
            var all = db.TimelineOf(issue.Id).Select(e => (e.CreatedAt, Json: r.TimelineEvent(call.Repo, e)))
                .Concat(db.CommentsOf(issue.Id).Select(c => (c.CreatedAt, Json: r.TimelineComment(call.Repo, c)))).OrderBy(e => e.CreatedAt);
            return RestResult.Page(call, [.. all], e => e.Json);
        }));
    }

    private Task<RestResult> Assign(RestCall call, bool add)
    {
        var issue = Find(call);
        issues.ChangeAssignees(issue, call.Texts("assignees") ?? [], add);
        var json = call.Read((db, r) => r.Issue(call.Repo, db.Issue(issue.Id)));
        return Task.FromResult(add ? RestResult.Created(json) : RestResult.Ok(json));
    }

    private void MapReactions(RestEdge api, string path, string subject, Func<RestCall, long> find)
    {
        api.Get(path + "/reactions", ForgeRole.Read, call =>
        {
            var id = find(call);
            return Task.FromResult(call.Read((db, r) => RestResult.Page(
                call,
                db.Query<ReactionRow>(
                    "SELECT * FROM Reactions WHERE Subject = @subject AND SubjectId = @id AND (@content IS NULL OR Content = @content) ORDER BY Id",
                    new { subject, id, content = call.Query("content") }).AsList(),
                r.Reaction)));
        });
        api.Post(path + "/reactions", ForgeRole.Read, call =>
        {
            var content = call.Required("Reaction", "content");
            if (!Renderer.ReactionContents.Contains(content))
            {
                throw ForgeRefusal.Invalid("Reaction", "content");
            }

            var (row, isNew) = issues.React(subject, find(call), call.Caller, content);
            return Task.FromResult(new RestResult(isNew ? 201 : 200, call.Read((_, r) => r.Reaction(row))));
        });
        api.Delete(path + "/reactions/{reaction}", ForgeRole.Read, call =>
        {
            var values = new { subject, target = find(call), id = call.Id("reaction"), by = call.Caller.Id };
            var removed = call.Write((db, _) => db.Execute("DELETE FROM Reactions WHERE Id = @id AND Subject = @subject AND SubjectId = @target AND UserId = @by", values));
            return removed > 0 ? Task.FromResult(RestResult.NoContent()) : throw ForgeRefusal.NotFound();
        });
    }
}
