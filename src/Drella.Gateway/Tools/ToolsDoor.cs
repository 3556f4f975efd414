using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Drella.Core.Jobs;
using Drella.Core.Sandboxes;
using Drella.Gateway.Doors;
using Gjoll.Egress;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Drella.Gateway.Tools;

/// <summary>
/// The tool endpoint of a sandbox: MCP over Streamable HTTP without sessions, one server for each request. Who calls is settled by the socket
/// and the token before a byte of the body is read.
/// </summary>
internal sealed partial class ToolsDoor(
    ToolServer tools, IDoorAudit audit, IOptions<ToolsOptions> options, TimeProvider time, ILoggerFactory loggers)
{
    private static readonly JsonTypeInfo<JsonRpcMessage> MessageType =
        (JsonTypeInfo<JsonRpcMessage>)McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(JsonRpcMessage));

    private readonly ConditionalWeakTable<Admission, CallMeter> meters = [];
    private readonly ILogger<ToolsDoor> logger = loggers.CreateLogger<ToolsDoor>();

    /// <summary>Answers one request that came through the sandbox's own socket.</summary>
    public async Task HandleAsync(HttpContext context, SandboxName sandbox, Func<Admission?> current)
    {
        var admission = current();
        if (HttpGate.Judge(context.Request) is { } refusal)
        {
            if (refusal.Status == StatusCodes.Status405MethodNotAllowed)
            {
                context.Response.Headers.Allow = HttpMethods.Post;
            }

            await RefuseAsync(context, sandbox, admission?.Assignment, refusal.Status, refusal.Rule);
            return;
        }

        if (admission is null || HttpGate.Token(context.Request) is not { } token || !admission.Accepts(token))
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
            await RefuseAsync(context, sandbox, admission?.Assignment, StatusCodes.Status401Unauthorized, admission is null ? "not-admitted" : "token");
            return;
        }

        var meter = meters.GetValue(admission, _ => new CallMeter(time));
        if (!meter.TryEnter(options.Value.MaxRequestsAtOnce, options.Value.RequestsPerMinute))
        {
            await RefuseAsync(context, sandbox, admission.Assignment, StatusCodes.Status429TooManyRequests, "rate");
            return;
        }

        using var life = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, admission.Ended);
        try
        {
            await ServeAsync(context, sandbox, admission, meter, life.Token);
        }
        catch (OperationCanceledException) when (life.IsCancellationRequested)
        {
            // Nobody listens any more, or nobody who may.
            context.Abort();
        }
        finally
        {
            meter.Leave();
        }
    }

    private async Task ServeAsync(HttpContext context, SandboxName sandbox, Admission admission, CallMeter meter, CancellationToken cancellationToken)
    {
        if (!HttpGate.IsJson(context.Request))
        {
            await RefuseAsync(context, sandbox, admission.Assignment, StatusCodes.Status415UnsupportedMediaType, "content-type");
            return;
        }

        if (await ReadBodyAsync(context.Request, cancellationToken) is not { } body)
        {
            await RefuseAsync(context, sandbox, admission.Assignment, StatusCodes.Status413PayloadTooLarge, "body-size");
            return;
        }

        using var document = RpcGuard.Read(body, out var fault);
        fault ??= document is null || body.Length <= options.Value.MaxPlainBodyBytes || CarriesPicture(document.RootElement)
            ? null
            : RpcFault.Invalid("the message is too large");
        if (fault is not null)
        {
            await FailAsync(context, sandbox, admission.Assignment, fault, cancellationToken);
            return;
        }

        JsonRpcMessage? message;
        try
        {
            message = document!.Deserialize(MessageType);
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException or NotSupportedException)
        {
            message = null;
        }

        if (message is null)
        {
            await FailAsync(context, sandbox, admission.Assignment, RpcFault.Invalid("not a message of this protocol"), cancellationToken);
            return;
        }

        await AnswerAsync(context, tools.OptionsFor(sandbox, admission, meter), message, cancellationToken);
    }

    private async Task AnswerAsync(HttpContext context, McpServerOptions served, JsonRpcMessage message, CancellationToken cancellationToken)
    {
        message.Context = new JsonRpcMessageContext { ProtocolVersion = context.Request.Headers["MCP-Protocol-Version"] };
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await using var transport = new StreamableHttpServerTransport(loggers) { Stateless = true };
        await using var server = McpServer.Create(transport, served, loggers);
        var loop = server.RunAsync(stop.Token);
        try
        {
            context.Response.ContentType = "text/event-stream";
            context.Response.Headers.CacheControl = "no-store";
            if (!await transport.HandlePostRequestAsync(message, context.Response.Body, cancellationToken))
            {
                context.Response.ContentType = null;
                context.Response.StatusCode = StatusCodes.Status202Accepted;
            }
        }
        finally
        {
            await stop.CancelAsync();
            await EndAsync(loop, stop.Token);
        }
    }

    private static async Task EndAsync(Task loop, CancellationToken stopped)
    {
        try
        {
            await loop;
        }
        catch (OperationCanceledException) when (stopped.IsCancellationRequested)
        {
            // This is how a server of one request ends.
        }
    }

    /// <summary>The body, or null when it is too large or too slow.</summary>
    private async Task<ReadOnlyMemory<byte>?> ReadBodyAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var max = options.Value.MaxBodyBytes;
        if (request.ContentLength > max)
        {
            return null;
        }

        if (request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } feature)
        {
            feature.MaxRequestBodySize = max;
        }

        using var limit = new CancellationTokenSource(options.Value.BodyTimeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        var body = new MemoryStream();
        var buffer = new byte[16 * 1024];
        try
        {
            int read;
            while ((read = await request.Body.ReadAsync(buffer, both.Token)) > 0)
            {
                if (body.Length + read > max)
                {
                    return null;
                }

                body.Write(buffer, 0, read);
            }
        }
        catch (BadHttpRequestException)
        {
            return null;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }

        return body.GetBuffer().AsMemory(0, (int)body.Length);
    }

    private static bool CarriesPicture(JsonElement message) =>
        message.TryGetProperty("params", out var parameters)
        && parameters.TryGetProperty("name", out var name)
        && name.ValueKind == JsonValueKind.String
        && name.ValueEquals(Core.Tools.ToolCatalogue.UploadImage);

    private async Task FailAsync(HttpContext context, SandboxName sandbox, Assignment assignment, RpcFault fault, CancellationToken cancellationToken)
    {
        await TryRecordAsync(sandbox, assignment, "message", "rpc" + fault.Code, cancellationToken);
        context.Response.StatusCode = StatusCodes.Status400BadRequest;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(
            $$$"""{"jsonrpc":"2.0","id":null,"error":{"code":{{{fault.Code}}},"message":{{{JsonSerializer.Serialize(fault.Message)}}}}}""",
            cancellationToken);
    }

    private async Task RefuseAsync(HttpContext context, SandboxName sandbox, Assignment? assignment, int status, string rule)
    {
        // What is asked for is hostile text and may hold a token in its query: the line names the method and path only.
        var target = Printable.Escape($"{context.Request.Method} {context.Request.Path.Value}", 300);
        context.Response.StatusCode = status;
        await TryRecordAsync(sandbox, assignment, target, rule, context.RequestAborted);
    }

    private async Task TryRecordAsync(SandboxName sandbox, Assignment? assignment, string target, string rule, CancellationToken cancellationToken)
    {
        try
        {
            await audit.RecordAsync(sandbox, assignment, new DoorDecision("tools", target, false, rule), cancellationToken);
        }
        catch (Exception problem) when (problem is Core.DriverException or IOException or InvalidOperationException)
        {
            // A refusal stands whether or not it can be written down.
            LogNoAudit(sandbox, rule, problem);
        }
    }

    [LoggerMessage(LogLevel.Error, "{Sandbox} refusal {Rule} at the tool door could not be written down")]
    private partial void LogNoAudit(SandboxName sandbox, string rule, Exception problem);
}
