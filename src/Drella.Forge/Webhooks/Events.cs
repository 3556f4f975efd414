using System.Text.Json.Nodes;
using System.Threading.Channels;
using Drella.Forge.Rendering;
using Drella.Forge.Storage;
using Microsoft.Data.Sqlite;

namespace Drella.Forge.Webhooks;

/// <summary>Records an event for every hook that wants it, in the transaction of the change, and wakes the delivery loop.</summary>
internal sealed class Events
{
    private readonly TimeProvider _time;
    private readonly ForgeAddress _address;
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private volatile bool _queued;

    public Events(Database database, TimeProvider time, ForgeAddress address)
    {
        (_time, _address) = (time, address);
        database.Committed += WakeIfQueued;
    }

    public ChannelReader<bool> Wakes => _wake.Reader;

    public void Wake() => _wake.Writer.TryWrite(true);

    private void WakeIfQueued()
    {
        if (_queued)
        {
            _queued = false;
            Wake();
        }
    }

    public void Emit(SqliteConnection db, RepoRow repo, string name, string? action, UserRow sender, Action<Renderer, JsonObject> fill)
    {
        var hooks = db.HooksOf(repo.Id).Where(h => h.IsActive && Wants(h, name)).ToList();
        if (hooks.Count == 0)
        {
            return;
        }

        var payload = Payload(db, repo, action, sender, fill).ToJsonString();
        foreach (var hook in hooks)
        {
            db.QueueDelivery(hook.Id, NewGuid(), name, action, payload, isRedelivery: false, _time.Now());
        }

        _queued = true;
    }

    public void Ping(SqliteConnection db, RepoRow repo, HookRow hook, UserRow sender)
    {
        var payload = Payload(db, repo, null, sender, (_, json) =>
        {
            json["zen"] = "Keep it logically awesome.";
            json["hook_id"] = hook.Id;
        });
        db.QueueDelivery(hook.Id, NewGuid(), "ping", null, payload.ToJsonString(), isRedelivery: false, _time.Now());
        _queued = true;
    }

    private JsonObject Payload(SqliteConnection db, RepoRow repo, string? action, UserRow sender, Action<Renderer, JsonObject> fill)
    {
        var renderer = new Renderer(_address.Urls, db);
        var json = new JsonObject();
        if (action is not null)
        {
            json["action"] = action;
        }

        fill(renderer, json);
        json["repository"] = renderer.Repository(repo, sender);
        json["sender"] = renderer.User(sender);
        return json;
    }

    private string NewGuid() => Guid.CreateVersion7(_time.GetUtcNow()).ToString();

    private static bool Wants(HookRow hook, string name) => hook.Events.Split(',').Any(e => e == "*" || e == name);
}
