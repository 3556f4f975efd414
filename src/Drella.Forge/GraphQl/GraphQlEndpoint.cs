using System.Text.Json.Nodes;
using Drella.Forge.Rest;
using Drella.Forge.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace Drella.Forge.GraphQl;

/// <summary>Who asks, and what is at hand while a query runs.</summary>
internal sealed record GraphQlContext(RestCall Call, Database Database)
{
    public UserRow Viewer => Call.Caller;

    public CancellationToken Aborted => Call.Aborted;
}

/// <summary>POST /api/graphql. Errors come as 200 with <c>errors</c>, as GitHub's do.</summary>
internal sealed class GraphQlEndpoint(GraphQlSchema schema, Database database)
{
    public void Map(IEndpointRouteBuilder routes, RestEdge edge) =>
        routes.MapPost("/api/graphql", context => edge.RunAsync(context, ForgeRole.None, AnswerAsync));

    private async Task<RestResult> AnswerAsync(RestCall call)
    {
        try
        {
            var document = Parser.Parse(call.Text("query") ?? throw new GraphQlError("A query attribute must be specified and must be a string."));
            var name = call.Text("operationName");
            var operation = (name is null ? document.Operations.SingleOrDefaultSafe() : document.Operations.FirstOrDefault(o => o.Name == name))
                ?? throw new GraphQlError("The operation to run is not clear");
            var variables = Executor.Variables(operation, call.Field("variables") as JsonObject);
            var executor = new Executor(document, variables, new GraphQlContext(call, database));
            return RestResult.Ok(new JsonObject { ["data"] = await executor.RunAsync(operation, operation.Kind == "query" ? schema.Query : schema.Mutation) });
        }
        catch (GraphQlError e)
        {
            return Failed("INVALID", e.Message);
        }
        catch (ForgeRefusal e)
        {
            return Failed(e.Status switch { 404 => "NOT_FOUND", 401 or 403 => "FORBIDDEN", _ => "UNPROCESSABLE" }, e.Status == 404 ? "Could not resolve to a node" : e.Message);
        }
    }

    private static RestResult Failed(string type, string message) => RestResult.Ok(new JsonObject
    {
        ["data"] = null,
        ["errors"] = new JsonArray(new JsonObject { ["type"] = type, ["message"] = message }),
    });
}

internal static class SingleExtensions
{
    public static T? SingleOrDefaultSafe<T>(this IReadOnlyList<T> list) where T : class => list.Count == 1 ? list[0] : null;
}
