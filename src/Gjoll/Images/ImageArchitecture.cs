using System.Runtime.InteropServices;

namespace Gjoll.Images;

/// <summary>Debian's word for the machine that an image is for.</summary>
public static class ImageArchitecture
{
    public static IReadOnlyList<string> All { get; } = ["amd64", "arm64"];

    /// <summary>That of this machine.</summary>
    public static string Host => RuntimeInformation.OSArchitecture switch
    {
        Architecture.X64 => "amd64",
        Architecture.Arm64 => "arm64",
        var other => other.ToString().ToLowerInvariant(),
    };
}
