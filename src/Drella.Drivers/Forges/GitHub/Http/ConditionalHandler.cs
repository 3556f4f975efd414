using System.Net;

namespace Drella.Drivers.Forges.GitHub.Http;

/// <summary>
/// Asks again by ETag and answers from memory on 304, which costs nothing of the primary rate limit. Keyed by address, media type and the
/// repository whose rights were used; one instance serves one identity. Bounded in bytes, least recently used first out.
/// </summary>
internal sealed class ConditionalHandler(Endpoints endpoints, int maxBytes) : DelegatingHandler
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, LinkedListNode<Entry>> _entries = new(StringComparer.Ordinal);
    private readonly LinkedList<Entry> _byUse = [];
    private long _bytes;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.Method != HttpMethod.Get || !endpoints.IsOurs(request.RequestUri!))
        {
            return await base.SendAsync(request, cancellationToken);
        }

        var key = $"{request.RequestUri!.AbsoluteUri}\n{request.Headers.Accept}\n{request.Get(Requests.Repo)}";
        var known = Find(key);
        request.Headers.IfNoneMatch.Clear();
        if (known is not null)
        {
            request.Headers.TryAddWithoutValidation("If-None-Match", known.ETag);
        }

        var response = await base.SendAsync(request, cancellationToken);
        if (response.StatusCode == HttpStatusCode.NotModified && known is not null)
        {
            return Revive(known, response);
        }

        if (response.StatusCode == HttpStatusCode.OK && response.Headers.TryGetValues("ETag", out var tags) && tags.FirstOrDefault() is { Length: > 0 and < 300 } tag)
        {
            Keep(new Entry(
                key, tag, await response.Content.ReadAsByteArrayAsync(cancellationToken), response.Content.Headers.ContentType?.ToString(),
                response.Headers.TryGetValues("Link", out var links) ? [.. links] : []));
        }

        return response;
    }

    private Entry? Find(string key)
    {
        lock (_gate)
        {
            if (!_entries.TryGetValue(key, out var node))
            {
                return null;
            }

            _byUse.Remove(node);
            _byUse.AddLast(node);
            return node.Value;
        }
    }

    private void Keep(Entry entry)
    {
        if (entry.Size > maxBytes / 4)
        {
            return;
        }

        lock (_gate)
        {
            if (_entries.TryGetValue(entry.Key, out var old))
            {
                Drop(old);
            }

            _entries[entry.Key] = _byUse.AddLast(entry);
            _bytes += entry.Size;
            while (_bytes > maxBytes)
            {
                Drop(_byUse.First!);
            }
        }
    }

    private void Drop(LinkedListNode<Entry> node)
    {
        _byUse.Remove(node);
        _entries.Remove(node.Value.Key);
        _bytes -= node.Value.Size;
    }

    private static HttpResponseMessage Revive(Entry entry, HttpResponseMessage fresh)
    {
        var content = new ByteArrayContent(entry.Body);
        if (entry.ContentType is { } type)
        {
            content.Headers.TryAddWithoutValidation("Content-Type", type);
        }

        // The headers of the 304 stay, since they tell the rate limit; it repeats neither body nor links.
        fresh.StatusCode = HttpStatusCode.OK;
        fresh.Content = content;
        fresh.Headers.Remove("Link");
        if (entry.Links.Length > 0)
        {
            fresh.Headers.TryAddWithoutValidation("Link", entry.Links);
        }

        return fresh;
    }

    private sealed record Entry(string Key, string ETag, byte[] Body, string? ContentType, string[] Links)
    {
        public int Size => Body.Length + (2 * Key.Length) + 512;
    }
}
