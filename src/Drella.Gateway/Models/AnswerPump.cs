using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Drella.Gateway.Models;

/// <summary>Passes an answer on, byte by byte as it comes. Errors are read whole first, so that no secret of ours is in them.</summary>
internal static class AnswerPump
{
    private const int ChunkBytes = 16 << 10;
    private const int LongestError = 64 << 10;
    private static readonly string[] ResponseHeaders = ["content-type", "request-id", "retry-after", "x-should-retry"];

    public static async Task PassAsync(
        UpstreamAnswer answer, IReadOnlyList<string> secrets, HttpResponse response, Passage passage, Action beat, CancellationToken cancellationToken)
    {
        if (answer.Status is 401 or 403 && secrets.Count > 0)
        {
            await ModelRefusal.Credential.WriteAsync(response, cancellationToken);
            return;
        }

        response.StatusCode = answer.Status;
        foreach (var name in ResponseHeaders)
        {
            if (answer.Headers.TryGetValue(name, out var value))
            {
                response.Headers[name] = value;
            }
        }

        if (answer.Status >= 300)
        {
            await PassErrorAsync(answer, secrets, response, cancellationToken);
            return;
        }

        var chunk = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        try
        {
            await response.StartAsync(cancellationToken);
            while (await answer.Body.ReadAsync(chunk, cancellationToken) is > 0 and var count)
            {
                passage.Meter!.Feed(chunk.AsSpan(0, count));
                await response.Body.WriteAsync(chunk.AsMemory(0, count), cancellationToken);
                await response.Body.FlushAsync(cancellationToken);
                beat();
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(chunk);
        }
    }

    private static async Task PassErrorAsync(
        UpstreamAnswer answer, IReadOnlyList<string> secrets, HttpResponse response, CancellationToken cancellationToken)
    {
        var body = new byte[LongestError];
        var length = await answer.Body.ReadAtLeastAsync(body, LongestError, throwOnEndOfStream: false, cancellationToken);
        var text = Encoding.UTF8.GetString(body, 0, length);
        foreach (var secret in secrets)
        {
            text = text.Replace(secret, "[redacted]", StringComparison.Ordinal);
        }

        await response.Body.WriteAsync(Encoding.UTF8.GetBytes(text), cancellationToken);
    }
}
