using System.Diagnostics.CodeAnalysis;
using Drella.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Drella.Web.Access;

/// <summary>Turns what flies out of a request into an answer. What the world did is told; what we did wrong is logged and not told.</summary>
internal sealed partial class Edge(ILogger<Edge> logger)
{
    [SuppressMessage("Design", "CA1031", Justification = "The HTTP edge: one broken request must not reach the server.")]
    public async Task GuardAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
            if (context.Response is { HasStarted: false, StatusCode: StatusCodes.Status400BadRequest or StatusCodes.Status415UnsupportedMediaType, ContentType: null })
            {
                await SayAsync(context, context.Response.StatusCode, "the request is not what this address takes; the API is described in docs/formats/api.md");
            }
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to be answered.
        }
        catch (BadHttpRequestException error)
        {
            await SayAsync(context, error.StatusCode, "the request is malformed or too large");
        }
        catch (DriverException error)
        {
            LogWorld(error, context.Request.Path);
            await SayAsync(context, StatusCodes.Status503ServiceUnavailable, error.Message);
        }
        catch (Exception error)
        {
            LogOurs(error, context.Request.Path);
            await SayAsync(context, StatusCodes.Status500InternalServerError, "something is wrong in the factory; its log says what");
        }
    }

    private static Task SayAsync(HttpContext context, int status, string why)
    {
        if (context.Response.HasStarted)
        {
            // Half an answer must not look like a whole one.
            context.Abort();
            return Task.CompletedTask;
        }

        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(new { error = why }, WebServer.Wire);
    }

    [LoggerMessage(LogLevel.Warning, "{Path} could not be answered")]
    private partial void LogWorld(Exception error, PathString path);

    [LoggerMessage(LogLevel.Error, "{Path} broke")]
    private partial void LogOurs(Exception error, PathString path);
}
