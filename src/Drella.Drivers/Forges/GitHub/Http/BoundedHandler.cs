using System.Net;
using Drella.Core;

namespace Drella.Drivers.Forges.GitHub.Http;

/// <summary>
/// Innermost: reads the whole answer within one time limit and one size limit, so that everything outside works on bytes in memory, and turns
/// the failures of the network into <see cref="DriverException"/>.
/// </summary>
internal sealed class BoundedHandler(TimeSpan timeout, int maxBytes, TimeProvider time) : DelegatingHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(timeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            var response = await base.SendAsync(request, both.Token);
            await BufferAsync(request, response, both.Token);
            return response;
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new DriverException(isTransient: true, $"{request.Describe()}: no answer within {timeout.TotalSeconds:0} s", e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw new DriverException(isTransient: true, $"{request.Describe()}: {Plain.Line(e.Message, 300)}", e);
        }
    }

    private async Task BufferAsync(HttpRequestMessage request, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var limit = request.Get(Requests.MaxBytes) is > 0 and var own ? own : maxBytes;
        var wire = response.Content;
        if (wire.Headers.ContentLength > limit)
        {
            throw TooLarge(request, response.StatusCode, limit);
        }

        using var buffer = new MemoryStream();
        await using (var stream = await wire.ReadAsStreamAsync(cancellationToken))
        {
            var chunk = new byte[16 << 10];
            int read;
            while ((read = await stream.ReadAsync(chunk, cancellationToken)) > 0)
            {
                if (buffer.Length + read > limit)
                {
                    throw TooLarge(request, response.StatusCode, limit);
                }

                buffer.Write(chunk, 0, read);
            }
        }

        var content = new ByteArrayContent(buffer.ToArray());
        foreach (var header in wire.Headers.Where(h => !h.Key.Equals("Content-Length", StringComparison.OrdinalIgnoreCase)))
        {
            content.Headers.TryAddWithoutValidation(header.Key, header.Value);
        }

        response.Content = content;
        wire.Dispose();
    }

    private static DriverException TooLarge(HttpRequestMessage request, HttpStatusCode status, int limit) =>
        new(isTransient: false, $"{request.Describe()}: {(int)status} with more than {limit} bytes") { Failure = DriverFailure.Exhausted };
}
