using System.Text.Json;
using Drella.Core.Jobs;
using Drella.Core.Journal;

namespace Drella.Core.Tools;

/// <summary>Keeps pictures that agents upload, as blobs of the job. What a picture is, its first bytes say, not its name.</summary>
public sealed class ImageShelf(IBlobStore blobs, FactorySettings settings)
{
    private const long MaxBytes = 5 << 20;

    private static readonly (string Type, byte[] Start)[] Kinds =
    [
        ("image/png", [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]),
        ("image/jpeg", [0xFF, 0xD8, 0xFF]),
        ("image/gif", "GIF8"u8.ToArray()),
        ("image/webp", "RIFF"u8.ToArray()),
    ];

    public static BlobId NameOf(JobId job, string file) => new($"{job}/image/{file}");

    /// <summary>The type by the first bytes, or null when it is no picture that we show.</summary>
    public static string? TypeOf(ReadOnlySpan<byte> bytes)
    {
        foreach (var (type, start) in Kinds)
        {
            if (bytes.StartsWith(start) && (type != "image/webp" || (bytes.Length > 12 && bytes[8..12].SequenceEqual("WEBP"u8))))
            {
                return type;
            }
        }

        return null;
    }

    internal async Task<ToolAnswer> KeepAsync(JobId job, JsonElement arguments, CancellationToken cancellationToken)
    {
        if (settings.DashboardUrl is not { } url)
        {
            return ToolAnswer.Refused("this factory has no place that shows pictures");
        }

        if (!arguments.GetProperty("data").TryGetBytesFromBase64(out var bytes) || bytes.LongLength > MaxBytes || TypeOf(bytes) is null)
        {
            return ToolAnswer.Refused("that is not a PNG, JPEG, GIF or WebP picture of at most 5 MiB");
        }

        var file = arguments.GetProperty("filename").GetString()!;
        if (await blobs.LengthAsync(NameOf(job, file), cancellationToken) > 0)
        {
            return ToolAnswer.Refused("there is a picture of that name already; choose another name");
        }

        await using var writer = await blobs.AppendAsync(NameOf(job, file), cancellationToken);
        await writer.WriteAsync(bytes, cancellationToken);
        await writer.FlushAsync(cancellationToken);
        var alt = arguments.TryGetProperty("alt", out var text) ? text.GetString()!.Replace('[', '(').Replace(']', ')') : file;
        return ToolAnswer.Ok($"![{alt}]({url}/jobs/{job}/images/{file})");
    }
}
