using System.Text.Json.Nodes;
using Dapper;
using Drella.Forge.Rendering;
using Drella.Forge.Storage;
using Drella.Forge.Webhooks;

namespace Drella.Forge.Rest;

internal sealed class HookEndpoints(Database database, Events events, TimeProvider time)
{
    private const string Hooks = RestMap.Repo + "/hooks";
    private const string Deliveries = Hooks + "/{hook}/deliveries";

    public void Map(RestEdge api)
    {
        api.Get(Hooks, ForgeRole.Admin, c => Task.FromResult(c.Read((db, _) => RestResult.Page(c, db.HooksOf(c.Repo.Id), h => Render(c, h)))));
        api.Post(Hooks, ForgeRole.Admin, Create);
        api.Get(Hooks + "/{hook}", ForgeRole.Admin, c => Task.FromResult(RestResult.Ok(Render(c, Find(c)))));
        api.Patch(Hooks + "/{hook}", ForgeRole.Admin, Update);
        api.Delete(Hooks + "/{hook}", ForgeRole.Admin, Delete);
        api.Post(Hooks + "/{hook}/pings", ForgeRole.Admin, Ping);
        api.Get(Deliveries, ForgeRole.Admin, List);
        api.Get(Deliveries + "/{delivery}", ForgeRole.Admin, c => Task.FromResult(RestResult.Ok(Full(FindDelivery(c)))));
        api.Post(Deliveries + "/{delivery}/attempts", ForgeRole.Admin, Redeliver);
    }

    private HookRow Find(RestCall call) => database.Read(db => db.FindHook(call.Repo.Id, call.Id("hook"))) ?? throw ForgeRefusal.NotFound();

    private DeliveryRow FindDelivery(RestCall call) => database.Read(db => db.FindDelivery(Find(call).Id, call.Id("delivery"))) ?? throw ForgeRefusal.NotFound();

    private static JsonObject Render(RestCall call, HookRow hook)
    {
        var api = $"{call.Urls.RepoApi(call.Repo.FullName)}/hooks/{hook.Id}";
        return new JsonObject
        {
            ["type"] = "Repository",
            ["id"] = hook.Id,
            ["name"] = "web",
            ["active"] = hook.IsActive,
            ["events"] = new JsonArray([.. hook.Events.Split(',').Select(e => JsonValue.Create(e))]),
            // The secret never comes back.
            ["config"] = hook.Secret is null
                ? new JsonObject { ["url"] = hook.Url, ["content_type"] = "json", ["insecure_ssl"] = "0" }
                : new JsonObject { ["url"] = hook.Url, ["content_type"] = "json", ["insecure_ssl"] = "0", ["secret"] = "********" },
            ["created_at"] = Times.Iso(hook.CreatedAt),
            ["updated_at"] = Times.Iso(hook.UpdatedAt),
            ["url"] = api,
            ["test_url"] = api + "/test",
            ["ping_url"] = api + "/pings",
            ["deliveries_url"] = api + "/deliveries",
            ["last_response"] = new JsonObject { ["code"] = null, ["status"] = "unused", ["message"] = null },
        };
    }

    private static (string? Url, string? Secret) Config(RestCall call)
    {
        string? Text(string field) => (call.Field("config") as JsonObject)?[field] is JsonValue v && v.TryGetValue<string>(out var text) ? text : null;
        var url = Text("url");
        if (url is not null && !(Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"))
        {
            throw ForgeRefusal.Invalid("Hook", "url", "invalid", "url is not a valid http(s) address");
        }

        return (url, Text("secret"));
    }

    private Task<RestResult> Create(RestCall call)
    {
        var (url, secret) = Config(call);
        if (url is null)
        {
            throw ForgeRefusal.Invalid("Hook", "url", "missing_field");
        }

        return Task.FromResult(RestResult.Created(call.Write((db, _) =>
        {
            if (db.HooksOf(call.Repo.Id).Any(h => h.Url == url))
            {
                throw ForgeRefusal.Invalid("Hook", "url", "custom", "Hook already exists on this repository");
            }

            var id = db.ExecuteScalar<long>(
                """
                INSERT INTO Hooks (RepoId, Url, Secret, Events, IsActive, CreatedAt, UpdatedAt)
                VALUES (@repo, @url, @secret, @events, @active, @now, @now) RETURNING Id
                """,
                new { repo = call.Repo.Id, url, secret, events = string.Join(',', call.Texts("events") ?? ["push"]), active = call.Flag("active") ?? true, now = time.Now() });
            var hook = db.FindHook(call.Repo.Id, id)!;
            events.Ping(db, call.Repo, hook, call.Caller);
            return Render(call, hook);
        })));
    }

    private Task<RestResult> Update(RestCall call)
    {
        var hook = Find(call);
        var (url, secret) = Config(call);
        var wanted = call.Texts("events") ?? [.. hook.Events.Split(',')];
        wanted = [.. wanted.Concat(call.Texts("add_events") ?? []).Except(call.Texts("remove_events") ?? []).Distinct()];
        return Task.FromResult(RestResult.Ok(call.Write((db, _) =>
        {
            db.Execute(
                """
                UPDATE Hooks SET Url = coalesce(@url, Url), Secret = coalesce(@secret, Secret), Events = @events, IsActive = coalesce(@active, IsActive),
                  UpdatedAt = @now WHERE Id = @Id
                """,
                new { hook.Id, url, secret, events = string.Join(',', wanted), active = call.Flag("active"), now = time.Now() });
            return Render(call, db.FindHook(call.Repo.Id, hook.Id)!);
        })));
    }

    private Task<RestResult> Delete(RestCall call)
    {
        var hook = Find(call);
        database.Write(db => db.Execute("DELETE FROM Hooks WHERE Id = @Id", new { hook.Id }));
        return Task.FromResult(RestResult.NoContent());
    }

    private Task<RestResult> Ping(RestCall call)
    {
        var hook = Find(call);
        database.Write(db => events.Ping(db, call.Repo, hook, call.Caller));
        return Task.FromResult(RestResult.NoContent());
    }

    private Task<RestResult> List(RestCall call)
    {
        var hook = Find(call);
        var size = call.Paging().Size;
        var cursor = long.TryParse(call.Query("cursor"), out var c) ? c : long.MaxValue;
        var rows = database.Read(db => db.DeliveriesOf(hook.Id)).Where(d => d.Id <= cursor).Where(d => call.Query("status") switch
        {
            "success" => d.StatusCode is >= 200 and < 400,
            "failure" => d.StatusCode is >= 400,
            _ => true,
        }).Take(size + 1).ToList();
        var link = rows.Count > size ? $"<{call.Urls.RepoApi(call.Repo.FullName)}/hooks/{hook.Id}/deliveries?per_page={size}&cursor={rows[size].Id}>; rel=\"next\"" : null;
        return Task.FromResult(RestResult.Ok(new JsonArray([.. rows.Take(size).Select(Item)])) with { Link = link });
    }

    private static JsonObject Item(DeliveryRow delivery) => new()
    {
        ["id"] = delivery.Id,
        ["guid"] = delivery.Guid,
        ["delivered_at"] = Times.Iso(delivery.DeliveredAt ?? delivery.CreatedAt),
        ["redelivery"] = delivery.IsRedelivery,
        ["duration"] = (delivery.DurationMs ?? 0) / 1000.0,
        ["status"] = delivery.Status ?? "pending",
        ["status_code"] = delivery.StatusCode ?? 0,
        ["event"] = delivery.Event,
        ["action"] = delivery.Action,
        ["installation_id"] = null,
        ["repository_id"] = null,
    };

    private static JsonObject Full(DeliveryRow delivery)
    {
        var json = Item(delivery);
        json["request"] = new JsonObject { ["headers"] = JsonNode.Parse(delivery.RequestHeaders ?? "{}"), ["payload"] = JsonNode.Parse(delivery.Payload) };
        json["response"] = new JsonObject { ["headers"] = JsonNode.Parse(delivery.ResponseHeaders ?? "{}"), ["payload"] = delivery.ResponseBody };
        return json;
    }

    // The delivery id stays the same, so that receivers can tell a repetition.
    private Task<RestResult> Redeliver(RestCall call)
    {
        var delivery = FindDelivery(call);
        database.Write(db => db.QueueDelivery(delivery.HookId, delivery.Guid, delivery.Event, delivery.Action, delivery.Payload, isRedelivery: true, time.Now()));
        events.Wake();
        return Task.FromResult(new RestResult(202, new JsonObject()));
    }
}
