using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Gjoll.Egress.Proxies;

/// <summary>
/// One named proxy: judges each request by its method and path as they were sent, writes the decision down, adds the credential and passes the
/// answer on as it comes. Redirects are answers like others: nothing is followed.
/// </summary>
internal sealed partial class NamedProxy : IDisposable
{
    private const int MaxTarget = 300;
    private const int BufferSize = 64 * 1024;

    // Bodies that are held whole for their digest: what they can take of the host's memory at a time.
    private const int HeldBodies = 8;

    private readonly SemaphoreSlim holding = new(HeldBodies);
    private readonly string sandbox;
    private readonly IInjector injector;
    private readonly ProxyTarget target;
    private readonly (HashSet<string> Methods, PathPattern Pattern, string Text)[] rules;
    private readonly HashSet<string> owned;
    private readonly HttpMessageInvoker client;
    private readonly DecisionRecorder recorder;
    private readonly TimeProvider time;
    private readonly ILogger<NamedProxy> logger;

    /// <summary>The definition has no problems. Throws <see cref="CredentialException"/> when the certificates cannot be read.</summary>
    public NamedProxy(
        ProxyDefinition definition, string sandbox, IInjector injector, TargetClient clients, DecisionRecorder recorder, TimeProvider time, ILogger<NamedProxy> logger)
    {
        (Definition, this.sandbox, this.injector, this.recorder, this.time, this.logger) = (definition, sandbox, injector, recorder, time, logger);
        target = ProxyTarget.Parse(definition.Target)!;
        rules = [.. definition.Allow.Select(rule => (rule.Methods.ToHashSet(StringComparer.Ordinal), PathPattern.Parse(rule.Path, out _)!, rule.Path))];
        owned = injector.Owned.ToHashSet(StringComparer.OrdinalIgnoreCase);
        client = clients.Make(Addresses.Parse(definition.Addresses), definition.AuthorityFile, definition.MaxConnections);
    }

    public ProxyDefinition Definition { get; }

    public Task CheckAsync(CancellationToken cancellationToken) => injector.CheckAsync(cancellationToken);

    public void Dispose()
    {
        client.Dispose();
        (injector as IDisposable)?.Dispose();
        holding.Dispose();
    }

    /// <summary>Answers one request that came through the proxy's socket.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        var told = Told(context);
        try
        {
            if (await ServeAsync(context, told) is { } refusal)
            {
                await AnswerAsync(context, refusal);
            }
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody listens any more.
            context.Abort();
        }
    }

    /// <summary>Serves the request; a refusal when nothing has been answered yet.</summary>
    private async Task<EgressRefusal?> ServeAsync(HttpContext context, string told)
    {
        var outgoing = Read(context, out var rule, out var refusal);
        if (outgoing is null)
        {
            await recorder.TryRecordAsync(sandbox, null, Decision(told, false, refusal!.Rule), context.RequestAborted);
            return refusal;
        }

        if (!await recorder.TryRecordAsync(sandbox, null, Decision(told, true, "allow " + rule), context.RequestAborted))
        {
            return EgressRefusal.NoAudit;
        }

        var holds = injector.HoldsBody && outgoing.HasBody;
        if (holds)
        {
            await holding.WaitAsync(context.RequestAborted);
        }

        try
        {
            return await ForwardAsync(context, outgoing, told);
        }
        finally
        {
            if (holds)
            {
                holding.Release();
            }
        }
    }

    /// <summary>The request as it goes out and the rule that lets it; null with a refusal when none does.</summary>
    private OutgoingRequest? Read(HttpContext context, out string? rule, out EgressRefusal? refusal)
    {
        rule = null;
        var method = context.Request.Method;
        if (RequestTarget.Read(Raw(context), out refusal) is not { } asked)
        {
            return null;
        }

        rule = rules.FirstOrDefault(one => one.Methods.Contains(method) && one.Pattern.Matches(asked.Path)).Text;
        var outgoing = new OutgoingRequest(method, target, target.Prefix + asked.Path, asked.Query)
        {
            HasBody = context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true,
        };
        var named = Fields.Named(context.Request.Headers.Connection);
        foreach (var (name, values) in context.Request.Headers)
        {
            if (Fields.GoesOut(name, named) && !owned.Contains(name))
            {
                outgoing.Fields.AddRange(values.Select(value => KeyValuePair.Create(name, value ?? "")));
            }
        }

        refusal = rule is null ? ProxyRefusals.NotAllowed
            : outgoing.Fields.Any(field => field.Value.Any(char.IsControl)) ? EgressRefusal.Malformed
            : context.Request.ContentLength > Definition.MaxRequestBytes ? ProxyRefusals.BodyTooLarge
            : injector.Judge(outgoing);
        return refusal is null ? outgoing : null;
    }

    private async Task<EgressRefusal?> ForwardAsync(HttpContext context, OutgoingRequest outgoing, string told)
    {
        using var limit = new CancellationTokenSource(Definition.AnswerTimeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, limit.Token);
        try
        {
            if (injector.HoldsBody && outgoing.HasBody)
            {
                outgoing.Body = await HoldAsync(context.Request, both.Token);
            }

            await injector.InjectAsync(outgoing, both.Token);
            using var request = Message(outgoing, context.Request);
            using var response = await client.SendAsync(request, both.Token);
            return await PassOnAsync(context, response, told);
        }
        catch (CredentialException problem)
        {
            LogCredential(sandbox, Definition.Name, problem.Message);
            return ProxyRefusals.Credential;
        }
        catch (Exception problem) when (problem is HttpRequestException or IOException)
        {
            var refusal = Why(problem);
            LogFailed(sandbox, Definition.Name, told, refusal.Rule, (problem as HttpRequestException)?.HttpRequestError ?? HttpRequestError.Unknown);
            return refusal;
        }
        catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
        {
            LogFailed(sandbox, Definition.Name, told, ProxyRefusals.AnswerTooSlow.Rule, HttpRequestError.Unknown);
            return ProxyRefusals.AnswerTooSlow;
        }
    }

    private static async Task<ReadOnlyMemory<byte>> HoldAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        // The server bounds the length.
        var body = new MemoryStream();
        await request.Body.CopyToAsync(body, cancellationToken);
        return body.GetBuffer().AsMemory(0, (int)body.Length);
    }

    private HttpRequestMessage Message(OutgoingRequest outgoing, HttpRequest from)
    {
        var address = $"{(target.IsTls ? "https" : "http")}://{target.Authority}{outgoing.Path}{(outgoing.Query is null ? "" : "?" + outgoing.Query)}";
        var message = new HttpRequestMessage(
            new HttpMethod(outgoing.Method), new Uri(address, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }))
        {
            Version = HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        if (outgoing.HasBody)
        {
            message.Content = injector.HoldsBody ? new ReadOnlyMemoryContent(outgoing.Body) : new StreamContent(from.Body, BufferSize);
            if (!injector.HoldsBody)
            {
                message.Content.Headers.ContentLength = from.ContentLength;
            }
        }

        foreach (var (name, value) in outgoing.Fields)
        {
            if (!message.Headers.TryAddWithoutValidation(name, value))
            {
                message.Content?.Headers.TryAddWithoutValidation(name, value);
            }
        }

        return message;
    }

    private async Task<EgressRefusal?> PassOnAsync(HttpContext context, HttpResponseMessage response, string told)
    {
        if ((int)response.StatusCode is < 200 or > 599 || response.Content.Headers.ContentLength > Definition.MaxResponseBytes)
        {
            return ProxyRefusals.Broken;
        }

        context.Response.StatusCode = (int)response.StatusCode;
        CopyFields(context.Request, response, context.Response);
        try
        {
            await context.Response.StartAsync(context.RequestAborted);
            await CopyBodyAsync(context, response);
        }
        catch (Exception problem) when (problem is HttpRequestException or IOException
            || (problem is OperationCanceledException && !context.RequestAborted.IsCancellationRequested))
        {
            // Half an answer must not look like a whole one.
            LogCut(sandbox, Definition.Name, told);
            context.Abort();
        }

        return null;
    }

    private static void CopyFields(HttpRequest request, HttpResponseMessage from, HttpResponse to)
    {
        var named = Fields.Named(from.Headers.NonValidated.TryGetValues("Connection", out var connection) ? connection : []);
        foreach (var (name, values) in from.Headers.NonValidated.Concat(from.Content.Headers.NonValidated))
        {
            if (Fields.ComesBack(name, named) && !values.Any(value => value.Any(char.IsControl)))
            {
                to.Headers.Append(name, values.ToArray());
            }
        }

        // An empty answer has no length to keep, save where the length is of what would have come.
        if (from.StatusCode is not (HttpStatusCode.NoContent or HttpStatusCode.ResetContent)
            && (HttpMethods.IsHead(request.Method) || from.StatusCode != HttpStatusCode.NotModified))
        {
            to.ContentLength = from.Content.Headers.ContentLength;
        }
    }

    private async Task CopyBodyAsync(HttpContext context, HttpResponseMessage response)
    {
        using var idle = new CancellationTokenSource(Definition.IdleTimeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, idle.Token);
        await using var body = await response.Content.ReadAsStreamAsync(both.Token);
        var buffer = new byte[BufferSize];
        var left = Definition.MaxResponseBytes;
        int read;
        while ((read = await body.ReadAsync(buffer, both.Token)) > 0)
        {
            left -= read;
            if (left < 0)
            {
                throw new IOException("the answer is larger than allowed");
            }

            await context.Response.Body.WriteAsync(buffer.AsMemory(0, read), both.Token);
            idle.CancelAfter(Definition.IdleTimeout);
        }
    }

    /// <summary>What went wrong, told so that nothing of the host is in it.</summary>
    private static EgressRefusal Why(Exception problem)
    {
        for (var one = problem; one is not null; one = one.InnerException)
        {
            switch (one)
            {
                case TargetException refused:
                    return refused.Refusal;
                case BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge }:
                    return ProxyRefusals.BodyTooLarge;
                case BadHttpRequestException { StatusCode: StatusCodes.Status408RequestTimeout }:
                    return ProxyRefusals.BodyTooSlow;
                case BadHttpRequestException:
                    return EgressRefusal.Malformed;
            }
        }

        return ProxyRefusals.Broken;
    }

    private static async Task AnswerAsync(HttpContext context, EgressRefusal refusal)
    {
        if (context.Response.HasStarted)
        {
            context.Abort();
            return;
        }

        context.Response.Clear();
        context.Response.StatusCode = refusal.Status;
        context.Response.ContentType = "text/plain";
        context.Response.Headers[$"X-{EgressHost.Word}-Rule"] = refusal.Rule;

        // A body that nobody will read is not worth another request behind it.
        context.Response.Headers.Connection = "close";
        await context.Response.WriteAsync($"gjoll: {refusal.Text}\n", context.RequestAborted);
    }

    private EgressDecision Decision(string told, bool isAllowed, string rule) => new("proxy:" + Definition.Name, told, isAllowed, rule);

    private static string Raw(HttpContext context) => context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;

    private static string Told(HttpContext context) => Printable.Escape($"{context.Request.Method} {Raw(context).Split('?')[0]}", MaxTarget);

    [LoggerMessage(LogLevel.Error, "{Sandbox} proxy {Proxy} has no credential: {Reason}")]
    private partial void LogCredential(string sandbox, string proxy, string reason);

    [LoggerMessage(LogLevel.Information, "{Sandbox} proxy {Proxy} {Target} failed: {Rule}, {Error}")]
    private partial void LogFailed(string sandbox, string proxy, string target, string rule, HttpRequestError error);

    [LoggerMessage(LogLevel.Information, "{Sandbox} proxy {Proxy} {Target} was cut in the midst of its answer")]
    private partial void LogCut(string sandbox, string proxy, string target);
}
