using Drella.Forge.Accounts;
using Drella.Forge.Git;
using Drella.Forge.Pulls;
using Drella.Forge.Rendering;
using Drella.Forge.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Drella.Forge.Pages;

/// <summary>
/// The pages behind the addresses in API bodies: read-only, no scripts. A private repository asks for Basic credentials, a token as password.
/// </summary>
internal sealed class ForgePages(Database database, Credentials credentials, RepositoryFolder folder, PullService pulls)
{
    private const string Repo = "/{owner}/{repo}";

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/-/forge.css", StyleAsync);
        routes.MapGet("/", (RequestDelegate)IndexAsync);
        routes.MapGet(Repo, (RequestDelegate)(c => PageAsync(c, RepositoryAsync)));
        routes.MapGet(Repo + "/pulls", (RequestDelegate)(c => PageAsync(c, PullsAsync)));
        routes.MapGet(Repo + "/issues", (RequestDelegate)(c => PageAsync(c, IssuesAsync)));
        routes.MapGet(Repo + "/pull/{number:int}", (RequestDelegate)(c => PageAsync(c, PullAsync)));
        routes.MapGet(Repo + "/issues/{number:int}", (RequestDelegate)(c => PageAsync(c, IssueAsync)));
    }

    private static async Task StyleAsync(HttpContext context)
    {
        await using var style = typeof(ForgePages).Assembly.GetManifestResourceStream("pages/forge.css")!;
        context.Response.ContentType = "text/css; charset=utf-8";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        await style.CopyToAsync(context.Response.Body, context.RequestAborted);
    }

    private Task IndexAsync(HttpContext context) => GuardAsync(context, () =>
    {
        var user = credentials.Authenticate(context.Request.Headers.Authorization);
        var repos = database.Read(db => db.AllRepos().Where(repo => db.RoleOf(repo, user) >= ForgeRole.Read).ToList());
        if (repos.Count == 0 && user is null)
        {
            throw ForgeRefusal.Unauthorized();
        }

        var items = Html.Join(repos.Select(repo => Html.Of(
            $"<li><a href=\"/{repo.FullName}\">{repo.FullName}</a> <small>{repo.Description}</small></li>")));
        return Task.FromResult(("Repositories", Html.Of($"<h1>Repositories</h1><div class=\"card\"><ul class=\"plain\">{(repos.Count == 0 ? Html.Of($"<li>None that you may see.</li>") : items)}</ul></div>")));
    });

    private Task PageAsync(HttpContext context, Func<RepoRow, HttpContext, Task<(string Title, Html Body)>> page) => GuardAsync(context, async () =>
    {
        var repo = Authorise(context);
        var (title, body) = await page(repo, context);
        return (title, Html.Of($"<nav><a href=\"/\">All</a> · <a href=\"/{repo.FullName}\">{repo.FullName}</a> · <a href=\"/{repo.FullName}/pulls\">Pull requests</a> · <a href=\"/{repo.FullName}/issues\">Issues</a></nav>{body}"));
    });

    private static async Task GuardAsync(HttpContext context, Func<Task<(string Title, Html Body)>> page)
    {
        context.Response.Headers.ContentSecurityPolicy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.Headers["Referrer-Policy"] = "no-referrer";
        context.Response.ContentType = "text/html; charset=utf-8";
        try
        {
            var (title, body) = await page();
            await WriteAsync(context, title, body);
        }
        catch (ForgeRefusal refusal)
        {
            context.Response.StatusCode = refusal.Status;
            if (refusal.Status == 401)
            {
                context.Response.Headers.WWWAuthenticate = "Basic realm=\"drella: your user name, and a token as password\"";
            }

            await WriteAsync(context, refusal.Message, Html.Of($"<h1>{refusal.Message}</h1>"));
        }
    }

    private static Task WriteAsync(HttpContext context, string title, Html body) => context.Response.WriteAsync(
        Html.Of($"<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title><link rel=\"stylesheet\" href=\"/-/forge.css\"></head><body>{body}</body></html>").Markup,
        context.RequestAborted);

    private RepoRow Authorise(HttpContext context)
    {
        var user = credentials.Authenticate(context.Request.Headers.Authorization);
        var name = (string)context.Request.RouteValues["repo"]!;
        var repo = GitNames.IsRepository(name) ? database.Read(db => db.FindRepo((string)context.Request.RouteValues["owner"]!, name)) : null;
        return repo is not null && database.Read(db => db.RoleOf(repo, user)) >= ForgeRole.Read ? repo
            : throw (user is null ? ForgeRefusal.Unauthorized() : ForgeRefusal.NotFound());
    }

    private static int Number(HttpContext context) => int.Parse((string)context.Request.RouteValues["number"]!, System.Globalization.CultureInfo.InvariantCulture);

    private async Task<(string, Html)> RepositoryAsync(RepoRow repo, HttpContext context)
    {
        var git = folder.Open(repo);
        var commit = await git.CommitAsync(repo.DefaultBranch, context.RequestAborted);
        var entries = commit is null ? [] : await git.TreeAsync(commit, recursive: false, null, context.RequestAborted);
        var files = Html.Join(entries.Select(e => Html.Of($"<li><code>{e.Path}{(e.Type == "tree" ? "/" : "")}</code></li>")));
        var readme = entries.FirstOrDefault(e => e.Path.Equals("README.md", StringComparison.OrdinalIgnoreCase) && e.Size < 200_000);
        var text = readme is null ? null : System.Text.Encoding.UTF8.GetString(await git.ReadBlobAsync(readme.Sha, context.RequestAborted));
        return (repo.FullName, Html.Of($"<h1>{repo.FullName}</h1><p>{repo.Description}</p><div class=\"card\"><header>{repo.DefaultBranch} {(commit is null ? "is empty" : commit[..12])}</header><ul class=\"plain\">{files}</ul></div>{(text is null ? null : Html.Of($"<div class=\"card\"><div>{Html.Markdown(text)}</div></div>"))}"));
    }

    private Task<(string, Html)> PullsAsync(RepoRow repo, HttpContext context) => Task.FromResult(List(repo, isPull: true));

    private Task<(string, Html)> IssuesAsync(RepoRow repo, HttpContext context) => Task.FromResult(List(repo, isPull: false));

    private Task<(string, Html)> IssueAsync(RepoRow repo, HttpContext context) => Task.FromResult(Issue(repo, Number(context)));

    private (string, Html) List(RepoRow repo, bool isPull)
    {
        var rows = database.Read(db => Dapper.SqlMapper.Query<IssueRow>(
            db, "SELECT * FROM Issues WHERE RepoId = @Id AND IsPull = @isPull ORDER BY Number DESC LIMIT 200", new { repo.Id, isPull }).ToList());
        var items = Html.Join(rows.Select(i => Html.Of(
            $"<li><a href=\"/{repo.FullName}/{(isPull ? "pull" : "issues")}/{i.Number}\">{i.Title}</a> <small>#{i.Number} {i.State}</small></li>")));
        var title = isPull ? "Pull requests" : "Issues";
        return (title, Html.Of($"<h1>{title}</h1><div class=\"card\"><ul class=\"plain\">{(rows.Count == 0 ? Html.Of($"<li>None yet.</li>") : items)}</ul></div>"));
    }

    private (string, Html) Issue(RepoRow repo, int number)
    {
        var (issue, author, conversation) = database.Read(db =>
        {
            var row = db.FindIssue(repo.Id, number) ?? throw ForgeRefusal.NotFound();
            return (row, db.User(row.AuthorId).Login, Conversation(db, row.Id));
        });
        return (issue.Title, Html.Of($"<h1>{issue.Title} <small>#{issue.Number}</small></h1><p><span class=\"state {issue.State}\">{issue.State}</span></p>{Card(author, issue.CreatedAt, Html.Markdown(issue.Body))}{conversation}"));
    }

    private async Task<(string, Html)> PullAsync(RepoRow repo, HttpContext context)
    {
        var cancellationToken = context.RequestAborted;
        var pull = await pulls.GetAsync(repo, Number(context), cancellationToken);
        var git = folder.Open(repo);
        var start = await pulls.ForkPointAsync(repo, pull, cancellationToken);
        var commits = await git.LogAsync(new LogQuery { Range = [pull.HeadSha, "^" + start], Limit = 100, OldestFirst = true }, cancellationToken);
        var files = await git.DiffAsync(start, pull.HeadSha, withPatch: true, cancellationToken);
        var state = pull.MergedAt is not null ? "merged" : pull.IsOpen && pull.IsDraft ? "draft" : pull.State;
        return database.Read(db =>
        {
            var author = db.User(pull.AuthorId).Login;
            var checks = Html.Join(db.CheckRunsOf(repo.Id, pull.HeadSha).GroupBy(c => c.Name, StringComparer.Ordinal).Select(g => g.First())
                .Select(c => Html.Of($"<li>{c.Name}: {c.Conclusion ?? c.Status}</li>"))
                .Concat(db.LatestStatuses(repo.Id, pull.HeadSha).Select(s => Html.Of($"<li>{s.Context}: {s.State} {s.Description}</li>"))));
            var reviews = Html.Join(db.ReviewsOf(pull.Id).Where(v => v.State != "PENDING" && (v.Body.Length > 0 || v.State != "COMMENTED")).Select(v =>
                Card($"{db.User(v.AuthorId).Login} {v.State.ToLowerInvariant().Replace('_', ' ')}", v.SubmittedAt ?? 0, Html.Markdown(v.Body))));
            var threads = Html.Join(db.ThreadsOf(pull.Id).Select(t => Thread(db, pull, t)));
            var log = Html.Join(commits.Select(c => Html.Of($"<li><code>{c.Sha[..12]}</code> {c.Message.Split('\n')[0]} <small>{c.Author.Name}</small></li>")));
            var diff = Html.Join(files.Take(300).Select(f => Html.Of($"<div class=\"card\"><header>{f.Path} +{f.Additions} −{f.Deletions}</header>{Html.Diff(f.Patch)}</div>")));
            return (pull.Title, Html.Of($"<h1>{pull.Title} <small>#{pull.Number}</small></h1><p><span class=\"state {state}\">{state}</span> <code>{pull.HeadRef}</code> into <code>{pull.BaseRef}</code></p>{Card(author, pull.CreatedAt, Html.Markdown(pull.Body))}{Conversation(db, pull.IssueId)}<h2>Reviews</h2>{reviews}{threads}<h2>Checks</h2><div class=\"card\"><ul class=\"plain\">{checks}</ul></div><h2>Commits</h2><div class=\"card\"><ul class=\"plain\">{log}</ul></div><h2>Changes</h2>{diff}"));
        });
    }

    private static Html Thread(Microsoft.Data.Sqlite.SqliteConnection db, PullRow pull, ThreadRow thread)
    {
        var comments = db.ReviewCommentsOf(pull.Id).Where(c => c.ThreadId == thread.Id && db.FindReview(pull.Id, c.ReviewId)?.State != "PENDING").ToList();
        var state = thread.IsResolved ? "resolved" : thread.IsOutdated ? "outdated" : "open";
        return comments.Count == 0 ? new Html("") : Html.Of(
            $"<div class=\"card\"><header>{thread.Path}:{thread.Line ?? thread.OriginalLine} ({state})</header>{Html.Diff(thread.DiffHunk)}<div>{Html.Join(comments.Select(c => Html.Of($"<div id=\"discussion_r{c.Id}\"><strong>{db.User(c.AuthorId).Login}</strong>{Html.Markdown(c.Body)}</div>")))}</div></div>");
    }

    private static Html Conversation(Microsoft.Data.Sqlite.SqliteConnection db, long issueId) => Html.Join(db.CommentsOf(issueId).Select(c =>
        Html.Of($"<div id=\"issuecomment-{c.Id}\">{Card(db.User(c.AuthorId).Login, c.CreatedAt, Html.Markdown(c.Body))}</div>")));

    private static Html Card(string head, long at, Html body) => Html.Of($"<div class=\"card\"><header>{head}, {Times.Iso(at)}</header><div>{body}</div></div>");
}
