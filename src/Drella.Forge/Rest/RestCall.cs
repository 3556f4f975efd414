using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Drella.Forge.Git;
using Drella.Forge.Rendering;
using Drella.Forge.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Data.Sqlite;

namespace Drella.Forge.Rest;

/// <summary>One authorised request, as endpoints see it. Readers of body fields refuse a wrong type with 422.</summary>
internal sealed class RestCall
{
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 32, AllowDuplicateProperties = false };

    public required HttpContext Http { get; init; }
    public required Urls Urls { get; init; }
    public required Database Database { get; init; }
    public required UserRow? Viewer { get; init; }
    public RepoRow? MaybeRepo { get; init; }
    public ForgeRole Role { get; init; }
    public JsonObject Body { get; private set; } = [];

    public CancellationToken Aborted => Http.RequestAborted;

    public RepoRow Repo => MaybeRepo ?? throw new InvalidOperationException("The route names no repository.");

    public UserRow Caller => Viewer ?? throw ForgeRefusal.Unauthorized();

    public T Read<T>(Func<SqliteConnection, Renderer, T> query) => Database.Read(db => query(db, new Renderer(Urls, db)));

    public T Write<T>(Func<SqliteConnection, Renderer, T> change) => Database.Write(db => change(db, new Renderer(Urls, db)));

    public string Route(string name) => Uri.UnescapeDataString((string?)Http.Request.RouteValues[name] ?? "");

    public long Id(string name) => long.TryParse(Route(name), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : throw ForgeRefusal.NotFound();

    public int Number(string name = "number") =>
        int.TryParse(Route(name), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw ForgeRefusal.NotFound();

    public string? Query(string name) => Http.Request.Query.TryGetValue(name, out var value) && value.ToString() is { Length: > 0 } text ? text : null;

    /// <summary>A <c>since</c> filter in milliseconds; 422 when it is no time.</summary>
    public long? Since()
    {
        if (Query("since") is not { } text)
        {
            return null;
        }

        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var when)
            ? when.ToUnixTimeMilliseconds()
            : throw ForgeRefusal.Invalid("Query", "since");
    }

    public bool Accepts(string word) =>
        Http.Request.Headers.Accept.ToString().Contains("application/vnd.github", StringComparison.OrdinalIgnoreCase)
        && Http.Request.Headers.Accept.ToString().Split(',', ';', '+', '.').Any(p => p.Trim().Equals(word, StringComparison.OrdinalIgnoreCase));

    public (int Page, int Size) Paging()
    {
        var page = int.TryParse(Query("page"), out var p) ? Math.Clamp(p, 1, 1_000_000) : 1;
        var size = int.TryParse(Query("per_page"), out var s) && s > 0 ? Math.Min(s, 100) : 30;
        return (page, size);
    }

    public string UrlWithPage(int page)
    {
        var path = Http.Request.Path.Value ?? "/";
        var local = path.StartsWith("/api/v3", StringComparison.Ordinal) ? path["/api/v3".Length..] : path;
        var query = Http.Request.Query.Where(q => q.Key != "page")
            .Select(q => $"{Uri.EscapeDataString(q.Key)}={Uri.EscapeDataString(q.Value.ToString())}")
            .Append(string.Create(CultureInfo.InvariantCulture, $"page={page}"));
        return Urls.Api + Urls.EscapePath(local.TrimStart('/')).Insert(0, "/") + "?" + string.Join('&', query);
    }

    public string? Text(string field) => Field(field) switch
    {
        null => null,
        JsonValue v when v.TryGetValue<string>(out var text) => text,
        _ => throw ForgeRefusal.Invalid("Body", field, "invalid", $"{field} is not a string"),
    };

    public string Required(string resource, string field) =>
        Text(field) is { Length: > 0 } text ? text : throw ForgeRefusal.Invalid(resource, field, "missing_field");

    public bool? Flag(string field) => Field(field) switch
    {
        null => null,
        JsonValue v when v.TryGetValue<bool>(out var flag) => flag,
        _ => throw ForgeRefusal.Invalid("Body", field, "invalid", $"{field} is not a boolean"),
    };

    public int? Whole(string field) => Field(field) switch
    {
        null => null,
        JsonValue v when v.TryGetValue<int>(out var number) => number,
        _ => throw ForgeRefusal.Invalid("Body", field, "invalid", $"{field} is not an integer"),
    };

    /// <summary>Texts of an array; objects in it count by their <c>name</c>.</summary>
    public IReadOnlyList<string>? Texts(string field) => Field(field) switch
    {
        null => null,
        JsonArray array => [.. array.Select(n => (n as JsonObject)?["name"] ?? n).Select(n =>
            n is JsonValue v && v.TryGetValue<string>(out var text) ? text : throw ForgeRefusal.Invalid("Body", field))],
        _ => throw ForgeRefusal.Invalid("Body", field, "invalid", $"{field} is not an array"),
    };

    public JsonNode? Field(string name) => Body.TryGetPropertyValue(name, out var value) ? value : null;

    public bool Has(string field) => Body.ContainsKey(field);

    public string ObjectId(string route)
    {
        var sha = Route(route);
        return GitNames.IsObjectId(sha) ? sha : throw ForgeRefusal.NotFound();
    }

    public async Task ReadBodyAsync()
    {
        using var buffer = new MemoryStream();
        await Http.Request.Body.CopyToAsync(buffer, Aborted);
        if (buffer.Length == 0)
        {
            return;
        }

        try
        {
            using var document = JsonDocument.Parse(buffer.ToArray(), Strict);
            Body = JsonNode.Parse(document.RootElement.GetRawText()) as JsonObject ?? new JsonObject { ["labels"] = JsonNode.Parse(document.RootElement.GetRawText()) };
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException)
        {
            throw new ForgeRefusal(400, "Problems parsing JSON");
        }
    }
}
