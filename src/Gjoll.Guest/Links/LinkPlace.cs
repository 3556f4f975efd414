namespace Gjoll.Guest.Links;

/// <summary>Where the host is met.</summary>
internal abstract record LinkPlace
{
    private LinkPlace()
    {
    }

    /// <summary>A unix socket that the host listens on.</summary>
    public sealed record Socket(string Path) : LinkPlace;

    /// <summary>A virtio port. It stays open; whether the host is there shows as a hangup.</summary>
    public sealed record Device(string Path) : LinkPlace;

    /// <summary>Standard input and output; their end is the agent's.</summary>
    public sealed record Stdio : LinkPlace;
}
