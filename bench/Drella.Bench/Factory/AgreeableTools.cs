using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Drella.Core.Tools;
using Gjoll.Egress.Serving;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drella.Bench.Factory;

/// <summary>The factory's tools as far as an agent can see them: the same names and schemas, and an answer at once, with nothing behind it.</summary>
internal sealed class AgreeableTools : IAsyncDisposable
{
    private readonly BareServer host;
    private int calls;

    private AgreeableTools() => host = new BareServer(
        (kestrel, route) => kestrel.Listen(IPAddress.Loopback, 0, at => route(at, AnswerAsync)), NullLoggerFactory.Instance);

    public string Address => host.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First() + "/mcp";

    /// <summary>Tool calls answered so far.</summary>
    public int Calls => calls;

    public static async Task<AgreeableTools> StartAsync(CancellationToken cancellationToken)
    {
        var tools = new AgreeableTools();
        await tools.host.StartAsync(cancellationToken);
        return tools;
    }

    public ValueTask DisposeAsync() => host.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        if (!HttpMethods.IsPost(context.Request.Method))
        {
            context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            return;
        }

        var message = await JsonNode.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted);
        if (message?["id"] is not { } id)
        {
            context.Response.StatusCode = StatusCodes.Status202Accepted;
            return;
        }

        context.Response.ContentType = "application/json";
        var answer = new JsonObject { ["jsonrpc"] = "2.0", ["id"] = id.DeepClone(), ["result"] = Result(message) };
        await context.Response.WriteAsync(answer.ToJsonString(), context.RequestAborted);
    }

    private JsonObject Result(JsonNode message)
    {
        switch (message["method"]?.GetValue<string>())
        {
            case "initialize":
                return new JsonObject
                {
                    ["protocolVersion"] = message["params"]!["protocolVersion"]!.DeepClone(),
                    ["capabilities"] = new JsonObject { ["tools"] = new JsonObject() },
                    ["serverInfo"] = new JsonObject { ["name"] = "factory", ["version"] = "1" },
                };
            case "tools/list":
                return new JsonObject { ["tools"] = new JsonArray([.. ToolCatalogue.All.Select(Describe)]) };
            case "tools/call":
                Interlocked.Increment(ref calls);
                return new JsonObject
                {
                    ["content"] = new JsonArray(new JsonObject { ["type"] = "text", ["text"] = "The pull request is http://forge.invalid/factory/greeter/pull/1, a draft." }),
                };
            default:
                return [];
        }
    }

    private static JsonObject Describe(ToolDefinition tool) => new()
    {
        ["name"] = tool.Name,
        ["description"] = tool.Description,
        ["inputSchema"] = JsonSerializer.SerializeToNode(tool.InputSchema),
    };
}
