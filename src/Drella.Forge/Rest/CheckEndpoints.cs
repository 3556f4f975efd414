using System.Globalization;
using System.Text.Json.Nodes;
using Dapper;
using Drella.Forge.Git;
using Drella.Forge.Rendering;
using Drella.Forge.Storage;
using Drella.Forge.Webhooks;

namespace Drella.Forge.Rest;

internal sealed class CheckEndpoints(Database database, RepositoryFolder folder, Events events, TimeProvider time)
{
    private static readonly string[] Conclusions = ["action_required", "cancelled", "failure", "neutral", "success", "skipped", "stale", "timed_out"];

    public void Map(RestEdge api)
    {
        const string runs = RestMap.Repo + "/check-runs";
        api.Post(RestMap.Repo + "/statuses/{sha}", ForgeRole.Write, AddStatusAsync);
        api.Post(runs, ForgeRole.Write, CreateAsync);
        api.Get(runs + "/{id}", ForgeRole.Read, c => Task.FromResult(RestResult.Ok(c.Read((_, r) => r.CheckRun(c.Repo, Find(c))))));
        api.Patch(runs + "/{id}", ForgeRole.Write, Update);
        api.Get(runs + "/{id}/annotations", ForgeRole.Read, Annotations);
    }

    public static RestResult Combined(RestCall call, string sha) => RestResult.Ok(call.Read((db, r) =>
    {
        var latest = db.LatestStatuses(call.Repo.Id, sha);
        var (page, size) = call.Paging();
        return new JsonObject
        {
            ["state"] = CheckQueries.CombineStatuses(latest),
            ["statuses"] = new JsonArray([.. latest.Skip((page - 1) * size).Take(size).Select(s => r.SimpleStatus(call.Repo, s))]),
            ["sha"] = sha,
            ["total_count"] = latest.Count,
            ["repository"] = r.MinimalRepository(call.Repo, call.Viewer),
            ["commit_url"] = r.Urls.CommitApi(call.Repo.FullName, sha),
            ["url"] = r.Urls.CommitApi(call.Repo.FullName, sha) + "/status",
        };
    }));

    public static RestResult Runs(RestCall call, string sha) => call.Read((db, r) =>
    {
        var runs = db.CheckRunsOf(call.Repo.Id, sha)
            .Where(c => call.Query("check_name") is not { } name || c.Name == name)
            .Where(c => call.Query("status") is not { } status || c.Status == status);
        var shown = call.Query("filter") == "all" ? runs : runs.GroupBy(c => c.Name, StringComparer.Ordinal).Select(g => g.First());
        return RestResult.Page(call, [.. shown], c => r.CheckRun(call.Repo, c), "check_runs");
    });

    private CheckRunRow Find(RestCall call) => database.Read(db => db.FindCheckRun(call.Repo.Id, call.Id("id"))) ?? throw ForgeRefusal.NotFound();

    private async Task<string> CommitAsync(RestCall call, string sha, string resource) =>
        GitNames.IsObjectId(sha) && await folder.Open(call.Repo).InspectAsync(sha, call.Aborted) is { Type: "commit" }
            ? sha
            : throw ForgeRefusal.Invalid(resource, "sha", "invalid", $"No commit found for SHA: {sha}");

    private async Task<RestResult> AddStatusAsync(RestCall call)
    {
        var sha = await CommitAsync(call, call.Route("sha"), "Status");
        var state = call.Required("Status", "state");
        if (state is not ("error" or "failure" or "pending" or "success"))
        {
            throw ForgeRefusal.Invalid("Status", "state");
        }

        if (call.Text("description")?.Length > 140)
        {
            throw ForgeRefusal.Invalid("Status", "description", "custom", "description is too long (maximum is 140 characters)");
        }

        return RestResult.Created(call.Write((db, r) =>
        {
            var id = db.ExecuteScalar<long>(
                """
                INSERT INTO Statuses (RepoId, Sha, State, TargetUrl, Description, Context, CreatorId, CreatedAt)
                VALUES (@repo, @sha, @state, @target, @description, @context, @by, @now) RETURNING Id
                """,
                new
                {
                    repo = call.Repo.Id, sha, state, target = WebUrl(call, "target_url"), description = call.Text("description"),
                    context = call.Text("context") ?? "default", by = call.Caller.Id, now = time.Now(),
                });
            var status = db.StatusesOf(call.Repo.Id, sha).First(s => s.Id == id);
            events.Emit(db, call.Repo, "status", null, call.Caller, (w, json) =>
            {
                json["id"] = status.Id;
                json["sha"] = sha;
                json["name"] = call.Repo.FullName;
                json["state"] = state;
                json["context"] = status.Context;
                json["description"] = status.Description;
                json["target_url"] = status.TargetUrl;
                json["branches"] = new JsonArray();
                json["created_at"] = Times.Iso(status.CreatedAt);
                json["updated_at"] = Times.Iso(status.CreatedAt);
            });
            return r.Status(call.Repo, status);
        }));
    }

    private async Task<RestResult> CreateAsync(RestCall call)
    {
        var name = call.Required("CheckRun", "name");
        var sha = await CommitAsync(call, call.Required("CheckRun", "head_sha"), "CheckRun");
        var id = database.Write(db => db.ExecuteScalar<long>(
            "INSERT INTO CheckRuns (RepoId, HeadSha, Name, Status, CreatorId, CreatedAt) VALUES (@repo, @sha, @name, 'queued', @by, @now) RETURNING Id",
            new { repo = call.Repo.Id, sha, name, by = call.Caller.Id, now = time.Now() }));
        return RestResult.Created(Apply(call, id, "created"));
    }

    private Task<RestResult> Update(RestCall call) => Task.FromResult(RestResult.Ok(Apply(call, Find(call).Id, null)));

    private JsonObject Apply(RestCall call, long id, string? action)
    {
        var conclusion = call.Text("conclusion");
        var status = conclusion is not null ? "completed" : call.Text("status");
        if (status is not (null or "queued" or "in_progress" or "completed") || (conclusion is not null && !Conclusions.Contains(conclusion)))
        {
            throw ForgeRefusal.Invalid("CheckRun", conclusion is null ? "status" : "conclusion");
        }

        if (status == "completed" && conclusion is null)
        {
            throw ForgeRefusal.Invalid("CheckRun", "conclusion", "missing_field");
        }

        var output = call.Field("output") as JsonObject;
        string? Out(string field) => output?[field] is JsonValue v && v.TryGetValue<string>(out var text) ? text : null;
        return call.Write((db, r) =>
        {
            var old = db.FindCheckRun(call.Repo.Id, id)!;
            var annotations = JsonNode.Parse(old.Annotations)!.AsArray();
            foreach (var annotation in output?["annotations"] as JsonArray ?? [])
            {
                annotations.Add(annotation?.DeepClone());
            }

            db.Execute(
                """
                UPDATE CheckRuns SET Name = coalesce(@name, Name), Status = coalesce(@status, Status), Conclusion = coalesce(@conclusion, Conclusion),
                  DetailsUrl = coalesce(@details, DetailsUrl), ExternalId = coalesce(@external, ExternalId), StartedAt = coalesce(@started, StartedAt, @now),
                  CompletedAt = CASE WHEN @status = 'completed' THEN coalesce(@completed, @now) ELSE CompletedAt END, Title = coalesce(@title, Title),
                  Summary = coalesce(@summary, Summary), Text = coalesce(@text, Text), Annotations = @annotations WHERE Id = @id
                """,
                new
                {
                    id, name = call.Text("name"), status, conclusion, details = WebUrl(call, "details_url"), external = call.Text("external_id"), started = Time(call, "started_at"),
                    completed = Time(call, "completed_at"), now = time.Now(), title = Out("title"), summary = Out("summary"), text = Out("text"), annotations = annotations.ToJsonString(),
                });
            var run = db.FindCheckRun(call.Repo.Id, id)!;
            if ((action ?? (status == "completed" ? "completed" : null)) is { } name)
            {
                events.Emit(db, call.Repo, "check_run", name, call.Caller, (w, json) => json["check_run"] = w.CheckRun(call.Repo, run));
            }

            return r.CheckRun(call.Repo, run);
        });
    }

    private Task<RestResult> Annotations(RestCall call)
    {
        var run = Find(call);
        return Task.FromResult(RestResult.Page(call, [.. JsonNode.Parse(run.Annotations)!.AsArray().OfType<JsonObject>()], a => new JsonObject
        {
            ["path"] = a["path"]?.DeepClone(),
            ["start_line"] = a["start_line"]?.DeepClone(),
            ["end_line"] = a["end_line"]?.DeepClone(),
            ["start_column"] = a["start_column"]?.DeepClone(),
            ["end_column"] = a["end_column"]?.DeepClone(),
            ["annotation_level"] = a["annotation_level"]?.DeepClone(),
            ["title"] = a["title"]?.DeepClone(),
            ["message"] = a["message"]?.DeepClone(),
            ["raw_details"] = a["raw_details"]?.DeepClone(),
            ["blob_href"] = call.Urls.BlobWeb(call.Repo.FullName, run.HeadSha, (string?)a["path"] ?? ""),
        }));
    }

    // Shown as a link on the pages, so nothing but http(s) is taken.
    private static string? WebUrl(RestCall call, string field) => call.Text(field) is not { Length: > 0 } url ? null
        : Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Scheme is ("http" or "https") ? url : throw ForgeRefusal.Invalid("Body", field);

    private static long? Time(RestCall call, string field) =>
        call.Text(field) is { } text && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out var when) ? when.ToUnixTimeMilliseconds() : null;
}
