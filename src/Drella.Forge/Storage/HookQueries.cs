using Dapper;
using Microsoft.Data.Sqlite;

namespace Drella.Forge.Storage;

internal static class HookQueries
{
    public static IReadOnlyList<HookRow> HooksOf(this SqliteConnection db, long repoId) =>
        db.Query<HookRow>("SELECT * FROM Hooks WHERE RepoId = @repoId ORDER BY Id", new { repoId }).AsList();

    public static HookRow? FindHook(this SqliteConnection db, long repoId, long id) =>
        db.QuerySingleOrDefault<HookRow>("SELECT * FROM Hooks WHERE RepoId = @repoId AND Id = @id", new { repoId, id });

    public static IReadOnlyList<DeliveryRow> DeliveriesOf(this SqliteConnection db, long hookId) =>
        db.Query<DeliveryRow>("SELECT * FROM Deliveries WHERE HookId = @hookId AND DeliveredAt IS NOT NULL ORDER BY Id DESC", new { hookId }).AsList();

    public static DeliveryRow? FindDelivery(this SqliteConnection db, long hookId, long id) =>
        db.QuerySingleOrDefault<DeliveryRow>("SELECT * FROM Deliveries WHERE HookId = @hookId AND Id = @id", new { hookId, id });

    public static IReadOnlyList<DeliveryRow> WaitingDeliveries(this SqliteConnection db, int limit) =>
        db.Query<DeliveryRow>("SELECT * FROM Deliveries WHERE DeliveredAt IS NULL ORDER BY Id LIMIT @limit", new { limit }).AsList();

    public static void QueueDelivery(
        this SqliteConnection db, long hookId, string guid, string name, string? action, string payload, bool isRedelivery, long now) =>
        db.Execute(
            """
            INSERT INTO Deliveries (HookId, Guid, Event, Action, Payload, IsRedelivery, CreatedAt)
            VALUES (@hookId, @guid, @name, @action, @payload, @isRedelivery, @now)
            """,
            new { hookId, guid, name, action, payload, isRedelivery, now });
}
