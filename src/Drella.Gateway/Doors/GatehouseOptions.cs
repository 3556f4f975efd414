namespace Drella.Gateway.Doors;

/// <summary>Where and how the doors stand.</summary>
public sealed class GatehouseOptions
{
    /// <summary>Folder that holds one folder of sockets per sandbox. Short: a unix socket path has at most 107 bytes.</summary>
    public string Folder { get; set; } = "";

    /// <summary>Connections of one sandbox at a time, on the HTTP doors together and on the egress door.</summary>
    public int MaxConnections { get; set; } = 256;

    /// <summary>Largest request body of the HTTP doors.</summary>
    public long MaxBodyBytes { get; set; } = 32L << 20;

    /// <summary>Called with a sandbox's folder once its sockets stand (modes 0700 and 0600), to hand them to the uid that must connect.</summary>
    public Action<string>? Prepared { get; set; }
}
