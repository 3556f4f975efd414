using G = Gjoll;

namespace Drella.Drivers.Sandboxes.Gjoll;

/// <summary>What the host of sandboxes is to know beside the provider.</summary>
public sealed record GjollHostOptions
{
    /// <summary>What sandboxes boot; null where the provider has no images.</summary>
    public string? Image { get; init; }

    /// <summary>Where that image lies, which holds agents' programs itself.</summary>
    public G.Images.ImageStore? Images { get; init; }

    /// <summary>The version of an agent that has to be inside an image for the image's own program to be used; null for any.</summary>
    public Func<string, string?> ProgramVersion { get; init; } = _ => null;

    /// <summary>How long a guest has to end its programs and to write its disk before it is ended.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>What a trial has shown already; null to try when asked.</summary>
    public G.ProviderReport? Probed { get; init; }

    /// <summary>Why it is this provider.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}
