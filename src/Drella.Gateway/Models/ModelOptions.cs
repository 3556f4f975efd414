namespace Drella.Gateway.Models;

/// <summary>The model provider and how it is spared.</summary>
public sealed class ModelOptions
{
    /// <summary>The provider's address.</summary>
    public Uri BaseUrl { get; set; } = new("https://api.anthropic.com");

    /// <summary>The credential. Stays on the host.</summary>
    public string ApiKey { get; set; } = "";

    /// <summary>Calls at a time to the provider, over all jobs.</summary>
    public int MaxCalls { get; set; } = 64;

    /// <summary>Calls at a time from one sandbox.</summary>
    public int MaxCallsPerSandbox { get; set; } = 16;

    /// <summary>Tries of one call before the provider's last answer is passed on.</summary>
    public int Tries { get; set; } = 5;

    /// <summary>First pause between tries; doubles.</summary>
    public TimeSpan FirstPause { get; set; } = TimeSpan.FromSeconds(0.5);

    /// <summary>Longest pause, also when the provider asks for more.</summary>
    public TimeSpan LongestPause { get; set; } = TimeSpan.FromSeconds(60);
}
