using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Drella.Forge.Rest;

/// <summary>What an endpoint answers: JSON, or text of another media type, or nothing.</summary>
internal sealed record RestResult(int Status, JsonNode? Json)
{
    public string? ContentType { get; init; }
    public byte[]? Raw { get; init; }
    public string? Link { get; init; }

    public static RestResult Ok(JsonNode json) => new(200, json);

    public static RestResult Created(JsonNode json) => new(201, json);

    public static RestResult NoContent() => new(204, null);

    public static RestResult Text(string contentType, byte[] raw) => new(200, null) { ContentType = contentType, Raw = raw };

    /// <summary>One page of a list, by <c>page</c> and <c>per_page</c>; with a name, wrapped beside <c>total_count</c>.</summary>
    public static RestResult Page<T>(RestCall call, IReadOnlyList<T> all, Func<T, JsonNode> render, string? wrapper = null)
    {
        var (page, size) = call.Paging();
        var items = new JsonArray([.. all.Skip((page - 1) * size).Take(size).Select(render)]);
        JsonNode body = wrapper is null ? items : new JsonObject { ["total_count"] = all.Count, [wrapper] = items };
        return new RestResult(200, body) { Link = LinkHeader(call, page, Math.Max(1, (all.Count + size - 1) / size)) };
    }

    public static string? LinkHeader(RestCall call, int page, int last)
    {
        if (last <= 1 && page == 1)
        {
            return null;
        }

        var links = new List<string>();
        void Add(string name, int target) => links.Add($"<{call.UrlWithPage(target)}>; rel=\"{name}\"");
        if (page > 1)
        {
            Add("prev", Math.Min(page - 1, last));
            Add("first", 1);
        }

        if (page < last)
        {
            Add("next", page + 1);
            Add("last", last);
        }

        return links.Count == 0 ? null : string.Join(", ", links);
    }

    public byte[] Bytes() => Raw ?? (Json is null ? [] : Encoding.UTF8.GetBytes(Json.ToJsonString()));

    public override string ToString() => Status.ToString(CultureInfo.InvariantCulture);
}
