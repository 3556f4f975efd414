using System.Text.Json.Nodes;
using Drella.Forge.Pulls;
using Drella.Forge.Rendering;
using Drella.Forge.Storage;

namespace Drella.Forge.GraphQl;

/// <summary>The part of GitHub's GraphQL that REST cannot say: drafts and review threads.</summary>
internal sealed class GraphQlSchema
{
    private sealed record PullSource(RepoRow Repo, PullRow Pull);

    private sealed record ThreadSource(RepoRow Repo, PullRow Pull, ThreadRow Thread);

    private sealed record CommentSource(RepoRow Repo, PullRow Pull, ReviewCommentRow Comment);

    private sealed record PageSource(IReadOnlyList<Resolved> Nodes, int Total, string? End, bool HasNext);

    private readonly ObjectType _user = new("User");
    private readonly ObjectType _repository = new("Repository");
    private readonly ObjectType _pull = new("PullRequest");
    private readonly ObjectType _thread = new("PullRequestReviewThread");
    private readonly ObjectType _comment = new("PullRequestReviewComment");
    private readonly ObjectType _threads = new("PullRequestReviewThreadConnection");
    private readonly ObjectType _comments = new("PullRequestReviewCommentConnection");
    private readonly ObjectType _pageInfo = new("PageInfo");
    private readonly PullService _pulls;
    private readonly ReviewService _reviews;

    public GraphQlSchema(PullService pulls, ReviewService reviews)
    {
        (_pulls, _reviews) = (pulls, reviews);
        DefineObjects();
        DefineConnections();
        DefineQueries();
        DefineMutations();
    }

    public ObjectType Query { get; } = new("Query");

    public ObjectType Mutation { get; } = new("Mutation");

    private void DefineObjects()
    {
        Field<UserRow>(_user, "login", (_, u) => u.Login);
        Field<UserRow>(_user, "id", (_, u) => NodeIds.Of("User", u.Id));
        Field<UserRow>(_user, "databaseId", (_, u) => u.Id);
        Field<RepoRow>(_repository, "id", (_, r) => NodeIds.Of("Repository", r.Id));
        Field<RepoRow>(_repository, "name", (_, r) => r.Name);
        Field<RepoRow>(_repository, "nameWithOwner", (_, r) => r.FullName);
        _repository.Fields["pullRequest"] = async (c, source, a) =>
        {
            var repo = (RepoRow)source;
            return new Resolved(_pull, new PullSource(repo, await _pulls.GetAsync(repo, Number(a, "number") ?? 0, c.Aborted)));
        };
        Field<PullSource>(_pull, "id", (_, p) => NodeIds.Of("PullRequest", p.Pull.Id));
        Field<PullSource>(_pull, "databaseId", (_, p) => p.Pull.Id);
        Field<PullSource>(_pull, "number", (_, p) => p.Pull.Number);
        Field<PullSource>(_pull, "title", (_, p) => p.Pull.Title);
        Field<PullSource>(_pull, "isDraft", (_, p) => p.Pull.IsDraft);
        Field<PullSource>(_pull, "headRefOid", (_, p) => p.Pull.HeadSha);
        Field<PullSource>(_pull, "state", (_, p) => p.Pull.MergedAt is not null ? "MERGED" : p.Pull.State.ToUpperInvariant());
        Field<PullSource>(_pull, "url", (c, p) => c.Call.Urls.PullWeb(p.Repo.FullName, p.Pull.Number));
        Field<ThreadSource>(_thread, "id", (_, t) => NodeIds.Of("PullRequestReviewThread", t.Thread.Id));
        Field<ThreadSource>(_thread, "isResolved", (_, t) => t.Thread.IsResolved);
        Field<ThreadSource>(_thread, "isOutdated", (_, t) => t.Thread.IsOutdated);
        Field<ThreadSource>(_thread, "path", (_, t) => t.Thread.Path);
        Field<ThreadSource>(_thread, "line", (_, t) => t.Thread.Line);
        Field<ThreadSource>(_thread, "startLine", (_, t) => t.Thread.StartLine);
        Field<ThreadSource>(_thread, "originalLine", (_, t) => t.Thread.OriginalLine);
        Field<ThreadSource>(_thread, "diffSide", (_, t) => t.Thread.Side);
        Field<ThreadSource>(_thread, "subjectType", (_, t) => t.Thread.SubjectType.ToUpperInvariant());
        Field<ThreadSource>(_thread, "resolvedBy", (c, t) => t.Thread.ResolvedById is { } id ? new Resolved(_user, c.Database.Read(db => db.User(id))) : null);
        Field<CommentSource>(_comment, "id", (_, s) => NodeIds.Of("PullRequestReviewComment", s.Comment.Id));
        Field<CommentSource>(_comment, "databaseId", (_, s) => s.Comment.Id);
        Field<CommentSource>(_comment, "body", (_, s) => s.Comment.Body);
        Field<CommentSource>(_comment, "createdAt", (_, s) => Times.Iso(s.Comment.CreatedAt));
        Field<CommentSource>(_comment, "author", (c, s) => new Resolved(_user, c.Database.Read(db => db.User(s.Comment.AuthorId))));
        Field<CommentSource>(_comment, "url", (c, s) => $"{c.Call.Urls.PullWeb(s.Repo.FullName, s.Pull.Number)}#discussion_r{s.Comment.Id}");
    }

    private void DefineConnections()
    {
        _pull.Fields["reviewThreads"] = (c, source, a) =>
        {
            var pull = (PullSource)source;
            var threads = c.Database.Read(db => db.ThreadsOf(pull.Pull.Id).Where(t => Comments(db, pull, t, c.Viewer).Any()).ToList());
            return Task.FromResult<object?>(Page(_threads, threads, t => t.Id, t => new Resolved(_thread, new ThreadSource(pull.Repo, pull.Pull, t)), a));
        };
        _thread.Fields["comments"] = (c, source, a) =>
        {
            var thread = (ThreadSource)source;
            var pull = new PullSource(thread.Repo, thread.Pull);
            var comments = c.Database.Read(db => Comments(db, pull, thread.Thread, c.Viewer).ToList());
            return Task.FromResult<object?>(Page(_comments, comments, m => m.Id, m => new Resolved(_comment, new CommentSource(thread.Repo, thread.Pull, m)), a));
        };
        foreach (var connection in (ObjectType[])[_threads, _comments])
        {
            Field<PageSource>(connection, "nodes", (_, p) => p.Nodes);
            Field<PageSource>(connection, "totalCount", (_, p) => p.Total);
            Field<PageSource>(connection, "pageInfo", (_, p) => new Resolved(_pageInfo, p));
        }

        Field<PageSource>(_pageInfo, "hasNextPage", (_, p) => p.HasNext);
        Field<PageSource>(_pageInfo, "endCursor", (_, p) => p.End);
    }

    private void DefineQueries()
    {
        Query.Fields["viewer"] = (c, _, _) => Task.FromResult<object?>(new Resolved(_user, c.Viewer));
        Query.Fields["repository"] = (c, _, a) => Task.FromResult<object?>(new Resolved(_repository, Repository(c, Text(a, "owner"), Text(a, "name"))));
        Query.Fields["node"] = async (c, _, a) => NodeIds.Read(Text(a, "id")) switch
        {
            ("PullRequest", _) => new Resolved(_pull, await PullAsync(c, Text(a, "id"))),
            ("PullRequestReviewThread", _) => new Resolved(_thread, await ThreadAsync(c, Text(a, "id"))),
            _ => throw ForgeRefusal.NotFound(),
        };
    }

    private void DefineMutations()
    {
        Mutate("markPullRequestReadyForReview", "pullRequest", _pull, async (c, input) => await SetDraftAsync(c, input, isDraft: false));
        Mutate("convertPullRequestToDraft", "pullRequest", _pull, async (c, input) => await SetDraftAsync(c, input, isDraft: true));
        Mutate("resolveReviewThread", "thread", _thread, async (c, input) => await ResolveAsync(c, input, resolved: true));
        Mutate("unresolveReviewThread", "thread", _thread, async (c, input) => await ResolveAsync(c, input, resolved: false));
        Mutate("addPullRequestReviewThreadReply", "comment", _comment, async (c, input) =>
        {
            var thread = await ThreadAsync(c, Text(input, "pullRequestReviewThreadId"));
            var comment = _reviews.Reply(thread.Repo, thread.Pull, thread.Thread.Id, c.Viewer, Text(input, "body"));
            return new CommentSource(thread.Repo, thread.Pull, comment);
        });
    }

    private async Task<object> SetDraftAsync(GraphQlContext context, IReadOnlyDictionary<string, JsonNode?> input, bool isDraft)
    {
        var pull = await PullAsync(context, Text(input, "pullRequestId"));
        NeedAuthorOrWrite(context, pull.Repo, pull.Pull);
        return pull with { Pull = _pulls.SetDraft(pull.Repo, pull.Pull, isDraft, context.Viewer) };
    }

    private async Task<object> ResolveAsync(GraphQlContext context, IReadOnlyDictionary<string, JsonNode?> input, bool resolved)
    {
        var thread = await ThreadAsync(context, Text(input, "threadId"));
        NeedAuthorOrWrite(context, thread.Repo, thread.Pull);
        return thread with { Thread = _reviews.Resolve(thread.Repo, thread.Pull, thread.Thread, resolved, context.Viewer) };
    }

    private static void NeedAuthorOrWrite(GraphQlContext context, RepoRow repo, PullRow pull)
    {
        if (pull.AuthorId != context.Viewer.Id && context.Database.Read(db => db.RoleOf(repo, context.Viewer)) < ForgeRole.Write)
        {
            throw ForgeRefusal.Forbidden();
        }
    }

    private static RepoRow Repository(GraphQlContext context, string owner, string name) => context.Database.Read(db =>
        db.FindRepo(owner, name) is { } repo && db.RoleOf(repo, context.Viewer) >= ForgeRole.Read ? repo : throw ForgeRefusal.NotFound());

    private async Task<PullSource> PullAsync(GraphQlContext context, string nodeId)
    {
        var id = NodeIds.Read(nodeId) is ("PullRequest", var number) ? number : throw ForgeRefusal.NotFound();
        var (repo, pull) = context.Database.Read(db =>
        {
            var row = db.FindPullById(id) ?? throw ForgeRefusal.NotFound();
            var owner = db.Repo(row.RepoId);
            return db.RoleOf(owner, context.Viewer) >= ForgeRole.Read ? (owner, row) : throw ForgeRefusal.NotFound();
        });
        return new PullSource(repo, await _pulls.GetAsync(repo, pull.Number, context.Aborted));
    }

    private async Task<ThreadSource> ThreadAsync(GraphQlContext context, string nodeId)
    {
        var id = NodeIds.Read(nodeId) is ("PullRequestReviewThread", var number) ? number : throw ForgeRefusal.NotFound();
        var thread = context.Database.Read(db => db.FindThread(id)) ?? throw ForgeRefusal.NotFound();
        var pull = await PullAsync(context, NodeIds.Of("PullRequest", thread.PullId));
        return new ThreadSource(pull.Repo, pull.Pull, context.Database.Read(db => db.Thread(id)));
    }

    // Comments of somebody else's pending review do not show.
    private static IEnumerable<ReviewCommentRow> Comments(Microsoft.Data.Sqlite.SqliteConnection db, PullSource pull, ThreadRow thread, UserRow viewer) =>
        db.ReviewCommentsOf(pull.Pull.Id).Where(c => c.ThreadId == thread.Id
            && db.FindReview(pull.Pull.Id, c.ReviewId) is { } review && (review.State != "PENDING" || review.AuthorId == viewer.Id));

    private static Resolved Page<T>(
        ObjectType type, IReadOnlyList<T> all, Func<T, long> id, Func<T, Resolved> wrap, IReadOnlyDictionary<string, JsonNode?> arguments)
    {
        var first = Number(arguments, "first") ?? throw new GraphQlError("You must provide a `first` value to properly paginate the connection.");
        if (first is < 1 or > 100)
        {
            throw new GraphQlError("`first` must be between 1 and 100.");
        }

        var after = arguments.GetValueOrDefault("after") is null ? 0 : NodeIds.Read(Text(arguments, "after"))?.Id ?? throw new GraphQlError("`after` does not appear to be a valid cursor.");
        var rest = all.Where(x => id(x) > after).ToList();
        var page = rest.Take(first).ToList();
        return new Resolved(type, new PageSource([.. page.Select(wrap)], all.Count, page.Count > 0 ? NodeIds.Of("cursor", id(page[^1])) : null, rest.Count > first));
    }

    private void Mutate(string name, string result, ObjectType resultType, Func<GraphQlContext, IReadOnlyDictionary<string, JsonNode?>, Task<object>> change)
    {
        var payload = new ObjectType(char.ToUpperInvariant(name[0]) + name[1..] + "Payload");
        payload.Fields[result] = (_, source, _) => Task.FromResult<object?>(new Resolved(resultType, source));
        payload.Fields["clientMutationId"] = (_, _, _) => Task.FromResult<object?>(null);
        Mutation.Fields[name] = async (c, _, a) =>
        {
            var input = a.GetValueOrDefault("input") as JsonObject ?? throw new GraphQlError($"Argument 'input' of {name} is required");
            return new Resolved(payload, await change(c, input.ToDictionary(p => p.Key, p => p.Value, StringComparer.Ordinal)));
        };
    }

    private static void Field<T>(ObjectType type, string name, Func<GraphQlContext, T, object?> resolve) =>
        type.Fields[name] = (context, source, _) => Task.FromResult(resolve(context, (T)source));

    private static string Text(IReadOnlyDictionary<string, JsonNode?> values, string name) =>
        values.GetValueOrDefault(name) is JsonValue v && v.TryGetValue<string>(out var text) && text.Length > 0 ? text : throw new GraphQlError($"Argument '{name}' is required");

    private static int? Number(IReadOnlyDictionary<string, JsonNode?> values, string name) =>
        values.GetValueOrDefault(name) is JsonValue v && (v.TryGetValue<int>(out var number) || (v.TryGetValue<long>(out var l) && (number = (int)Math.Clamp(l, 0, int.MaxValue)) >= 0)) ? number : null;
}
