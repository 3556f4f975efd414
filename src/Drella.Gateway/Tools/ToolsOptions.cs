namespace Drella.Gateway.Tools;

/// <summary>Bounds of the tool endpoint, the same for every sandbox.</summary>
public sealed class ToolsOptions
{
    /// <summary>Largest request. A picture of 5 MiB takes 7 MiB in base64.</summary>
    public int MaxBodyBytes { get; set; } = 8 << 20;

    /// <summary>Largest request that carries no picture.</summary>
    public int MaxPlainBodyBytes { get; set; } = 1 << 20;

    public int MaxRequestsAtOnce { get; set; } = 8;

    public int CallsPerMinute { get; set; } = 120;

    public int RequestsPerMinute { get; set; } = 600;

    public TimeSpan BodyTimeout { get; set; } = TimeSpan.FromSeconds(30);
}
