using Microsoft.AspNetCore.Http;

namespace Drella.Testing.OpenApi;

/// <summary>A server-side guard: judges every REST response of a server under test. Git, GraphQL and human pages pass.</summary>
public static class OpenApiMiddleware
{
    public static Func<RequestDelegate, RequestDelegate> For(OpenApiGate gate) => next => context => JudgeAsync(gate, next, context);

    private static async Task JudgeAsync(OpenApiGate gate, RequestDelegate next, HttpContext context)
    {
        var path = context.Request.Path.Value ?? "/";
        var isRest = path.StartsWith("/api/v3", StringComparison.Ordinal) || context.Request.Host.Host.StartsWith("api.", StringComparison.Ordinal);
        if (!isRest || path.EndsWith("/graphql", StringComparison.Ordinal))
        {
            await next(context);
            return;
        }

        var wire = context.Response.Body;
        using var copy = new MemoryStream();
        context.Response.Body = copy;
        try
        {
            await next(context);
        }
        finally
        {
            context.Response.Body = wire;
        }

        gate.ValidateResponse(
            context.Request.Method, path + context.Request.QueryString, context.Response.StatusCode, context.Response.ContentType, copy.ToArray());
        copy.Position = 0;
        await copy.CopyToAsync(wire, context.RequestAborted);
    }
}
