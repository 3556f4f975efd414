using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Drella.Web.Api;

/// <summary>Writes server-sent events, and a comment when nothing happened for a while, so that both ends notice when the other is gone.</summary>
internal sealed class EventStream(HttpResponse response, TimeProvider time)
{
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(15);

    public async Task WriteAsync<T>(IAsyncEnumerable<T> items, Func<T, (string Name, string? Id, object Data)> shape, CancellationToken cancellationToken)
    {
        response.ContentType = "text/event-stream";
        response.Headers["X-Accel-Buffering"] = "no";
        response.HttpContext.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        await response.StartAsync(cancellationToken);
        await SendAsync(": here\n\n", cancellationToken);
        await using var cursor = items.GetAsyncEnumerator(cancellationToken);
        var next = cursor.MoveNextAsync().AsTask();
        try
        {
            while (true)
            {
                if (!next.IsCompleted && !await ComesSoonAsync(next, cancellationToken))
                {
                    await SendAsync(": still here\n\n", cancellationToken);
                    continue;
                }

                if (!await next)
                {
                    return;
                }

                var (name, id, data) = shape(cursor.Current);

                // Serialised JSON holds no line end, so one data line is enough.
                await SendAsync($"{(id is null ? "" : $"id: {id}\n")}event: {name}\ndata: {JsonSerializer.Serialize(data, WebServer.Wire)}\n\n", cancellationToken);
                next = cursor.MoveNextAsync().AsTask();
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The reader has gone, or we are going.
        }
        finally
        {
            await next.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }

    private async Task<bool> ComesSoonAsync(Task<bool> next, CancellationToken cancellationToken)
    {
        try
        {
            await next.WaitAsync(Quiet, time, cancellationToken);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private Task SendAsync(string text, CancellationToken cancellationToken) =>
        response.Body.WriteAsync(Encoding.UTF8.GetBytes(text), cancellationToken).AsTask();
}
