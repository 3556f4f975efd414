using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;
using Drella.Core.Sandboxes;
using Drella.Core.Tools;
using Drella.Gateway.Doors;
using Gjoll.Egress;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Drella.Gateway.Tools;

/// <summary>
/// What stands behind the protocol: lists the tools of the role that is at work, and takes a call to the desk once its arguments have been
/// checked. Whatever goes wrong behind the desk, the agent learns a reference and no more.
/// </summary>
internal sealed partial class ToolServer(
    IToolDesk desk, IDoorAudit audit, IOptions<ToolsOptions> options, ILogger<ToolServer> logger)
{
    private const string Instructions =
        "Tools of the factory that gave you this job. The job owns exactly one pull request; these tools are the only way to it.";

    private static readonly Implementation Identity = new() { Name = "factory", Version = "1" };

    private readonly ConditionalWeakTable<ToolDefinition, SchemaCheck> checks = [];

    /// <summary>Options of a server that serves one request of this caller.</summary>
    public McpServerOptions OptionsFor(SandboxName sandbox, Admission admission, CallMeter meter) => new()
    {
        ServerInfo = Identity,
        ServerInstructions = Instructions,
        ScopeRequests = false,
        Capabilities = new ServerCapabilities { Tools = new ToolsCapability() },
        Handlers = new McpServerHandlers
        {
            ListToolsHandler = (_, _) => ValueTask.FromResult(List(admission)),
            CallToolHandler = (request, cancellationToken) => CallAsync(sandbox, admission, meter, request, cancellationToken),
        },
    };

    private ListToolsResult List(Admission admission) => new()
    {
        Tools = [.. desk.ToolsFor(admission.Assignment).Select(tool => new Tool { Name = tool.Name, Description = tool.Description, InputSchema = tool.InputSchema })],
    };

    private async ValueTask<CallToolResult> CallAsync(
        SandboxName sandbox, Admission admission, CallMeter meter, RequestContext<CallToolRequestParams> request, CancellationToken cancellationToken)
    {
        var name = request.Params?.Name ?? "";
        try
        {
            var (call, refusal) = Judge(admission, meter, request, name);
            if (call is null)
            {
                await audit.RecordAsync(
                    sandbox, admission.Assignment, new DoorDecision("tools", Printable.Escape(name, 300), false, refusal!.Rule), cancellationToken);
                return Answer(ToolAnswer.Refused(refusal.Text));
            }

            using var life = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, admission.Ended);
            return Answer(await desk.CallAsync(admission.Assignment, call, life.Token));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested || admission.Ended.IsCancellationRequested)
        {
            throw;
        }
#pragma warning disable CA1031 // The edge to the agent: whatever is wrong with us stays in our log.
        catch (Exception problem)
#pragma warning restore CA1031
        {
            var reference = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6));
            LogFailed(sandbox, Printable.Escape(name, 80), reference, problem);
            return Answer(ToolAnswer.Refused($"internal error, reference {reference}"));
        }
    }

    private (ToolCall? Call, Refusal? Refusal) Judge(
        Admission admission, CallMeter meter, RequestContext<CallToolRequestParams> request, string name)
    {
        if (!meter.TryCall(options.Value.CallsPerMinute))
        {
            return (null, new Refusal("rate", "too many calls in a minute; wait before the next"));
        }

        var granted = desk.ToolsFor(admission.Assignment);
        if (granted.FirstOrDefault(tool => tool.Name == name) is not { } tool)
        {
            return (null, new Refusal("not-granted", $"no such tool for this role; there are: {string.Join(", ", granted.Select(tool => tool.Name))}"));
        }

        var arguments = JsonSerializer.SerializeToElement(request.Params?.Arguments ?? new Dictionary<string, JsonElement>());
        var problems = checks.GetValue(tool, definition => new SchemaCheck(definition.InputSchema)).Problems(arguments);
        if (problems.Count > 0)
        {
            return (null, new Refusal("arguments", "invalid arguments: " + string.Join("; ", problems)));
        }

        var id = CallId.For(request.Params?.Meta, request.JsonRpcRequest.Id.ToString(), name, arguments);
        return (new ToolCall(id, name, arguments), null);
    }

    private static CallToolResult Answer(ToolAnswer answer) => new()
    {
        IsError = answer.IsError,
        Content = [new TextContentBlock { Text = answer.Text }],
    };

    private sealed record Refusal(string Rule, string Text);

    [LoggerMessage(LogLevel.Error, "{Sandbox} tool {Tool} failed, reference {Reference}")]
    private partial void LogFailed(SandboxName sandbox, string tool, string reference, Exception problem);
}
