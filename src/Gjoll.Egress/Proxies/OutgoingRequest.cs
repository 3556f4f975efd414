namespace Gjoll.Egress.Proxies;

/// <summary>A request on its way out, before it is sent: a credential may change any part but where it goes.</summary>
internal sealed class OutgoingRequest(string method, ProxyTarget target, string path, string? query)
{
    public string Method => method;

    public ProxyTarget Target => target;

    /// <summary>With the target's own path in front.</summary>
    public string Path { get; set; } = path;

    public string? Query { get; set; } = query;

    public List<KeyValuePair<string, string>> Fields { get; } = [];

    public bool HasBody { get; init; }

    /// <summary>The whole body, when it is held.</summary>
    public ReadOnlyMemory<byte> Body { get; set; }

    /// <summary>Sets a field in place of all of that name.</summary>
    public void Set(string name, string value)
    {
        Fields.RemoveAll(field => field.Key.Equals(name, StringComparison.OrdinalIgnoreCase));
        Fields.Add(new(name, value));
    }
}
