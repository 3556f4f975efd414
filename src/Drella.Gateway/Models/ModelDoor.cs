using Drella.Core.Budgets;
using Drella.Core.Sandboxes;
using Drella.Gateway.Doors;
using Gjoll.Egress;
using Microsoft.AspNetCore.Http;

namespace Drella.Gateway.Models;

/// <summary>
/// Answers the agent's model calls: judges who asks and for what, reserves the price, forwards with the host's credential, passes each
/// byte on as it comes, and settles what it cost.
/// </summary>
internal sealed class ModelDoor(
    IModelUpstream upstream, IModelLedger ledger, IDoorAudit audit, ModelOptions options, TimeProvider time)
{
    private const string Messages = "/v1/messages";
    private const string CountTokens = "/v1/messages/count_tokens";
    private const int MaxTarget = 300;
    private static readonly TimeSpan SettleTime = TimeSpan.FromSeconds(30);
    private static readonly string[] RequestHeaders = ["anthropic-version", "anthropic-beta", "accept", "user-agent"];

    private readonly CallSlots slots = new(options.MaxCallsPerSandbox);
    private readonly PatientUpstream patient = new(upstream, options, time);

    public async Task HandleAsync(HttpContext context, SandboxName sandbox, Func<Admission?> current, Action beat)
    {
        beat();
        var admission = current();
        if (Judge(context.Request, admission) is { } refusal)
        {
            await RefuseAsync(context, sandbox, admission, refusal, context.RequestAborted);
            return;
        }

        if (!slots.TryTake(sandbox))
        {
            await RefuseAsync(context, sandbox, admission, ModelRefusal.TooMany, context.RequestAborted);
            return;
        }

        using var life = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, admission!.Ended);
        try
        {
            await ServeAsync(context, sandbox, admission, beat, life.Token);
        }
        catch (Exception cut) when (cut is OperationCanceledException or IOException or HttpRequestException)
        {
            // The guest left, the admission ended or the provider broke off: what was sent cannot be completed.
            context.Abort();
        }
        finally
        {
            slots.Free(sandbox);
        }
    }

    private static ModelRefusal? Judge(HttpRequest request, Admission? admission)
    {
        var known = request.Path.Value is Messages or CountTokens && request.QueryString.Value is null or "" or "?beta=true";
        return admission is null || !admission.Accepts(TokenOf(request)) ? ModelRefusal.Unknown
            : !known || !HttpMethods.IsPost(request.Method) ? ModelRefusal.NotFound
            : null;
    }

    private static string TokenOf(HttpRequest request)
    {
        const string scheme = "Bearer ";
        var authorization = request.Headers.Authorization.ToString();
        return authorization.StartsWith(scheme, StringComparison.OrdinalIgnoreCase)
            ? authorization[scheme.Length..].Trim()
            : request.Headers["x-api-key"].ToString();
    }

    private async Task ServeAsync(HttpContext context, SandboxName sandbox, Admission admission, Action beat, CancellationToken cancellationToken)
    {
        var counts = context.Request.Path.Value == CountTokens;
        using var received = new MemoryStream();
        try
        {
            await context.Request.Body.CopyToAsync(received, cancellationToken);
        }
        catch (BadHttpRequestException bad)
        {
            var why = bad.StatusCode == StatusCodes.Status413PayloadTooLarge ? ModelRefusal.TooLarge : ModelRefusal.Malformed;
            await RefuseAsync(context, sandbox, admission, why, cancellationToken);
            return;
        }

        beat();
        if (RequestBody.Fix(received.GetBuffer().AsMemory(0, (int)received.Length), admission.Model, counts) is not { } body)
        {
            await RefuseAsync(context, sandbox, admission, ModelRefusal.Malformed, cancellationToken);
            return;
        }

        if (body.Hosted is { } hosted)
        {
            await RefuseAsync(context, sandbox, admission, ModelRefusal.Hosted(hosted), cancellationToken);
            return;
        }

        var headers = RequestHeaders
            .Where(name => context.Request.Headers.ContainsKey(name))
            .Select(name => KeyValuePair.Create(name, context.Request.Headers[name].ToString()))
            .ToList();
        var query = context.Request.QueryString.Value;
        var call = new UpstreamCall(admission.Assignment, (counts ? CountTokens : Messages) + query, headers, body.Bytes)
        {
            Subagent = context.Request.Headers["x-claude-code-agent-id"].ToString() is { Length: > 0 } agent ? agent : null,
        };
        if (counts)
        {
            await ForwardAsync(context, sandbox, call, beat, cancellationToken);
            return;
        }

        await ServePaidAsync(context, sandbox, admission, call, body, beat, cancellationToken);
    }

    private async Task ServePaidAsync(
        HttpContext context, SandboxName sandbox, Admission admission, UpstreamCall call, RequestBody body, Action beat, CancellationToken cancellationToken)
    {
        var id = Guid.CreateVersion7(time.GetUtcNow()).ToString("N");
        var bound = PriceList.Bound(body.Model, body.Bytes.Length, body.MaxTokens);
        var reservation = await ledger.ReserveAsync(admission.Assignment, new ModelCall(id, body.Model, bound), cancellationToken);
        if (reservation is not Reservation.Granted)
        {
            var refusal = reservation is Reservation.Exhausted ? ModelRefusal.Exhausted : ModelRefusal.Stale;
            await RefuseAsync(context, sandbox, admission, refusal, cancellationToken);
            return;
        }

        var passage = new Passage();
        try
        {
            await ForwardAsync(context, sandbox, call, beat, cancellationToken, passage);
        }
        finally
        {
            using var bounded = new CancellationTokenSource(SettleTime, time);
            await ledger.SettleAsync(admission.Assignment, id, passage.Usage(body), bounded.Token);
        }
    }

    private async Task ForwardAsync(
        HttpContext context, SandboxName sandbox, UpstreamCall call, Action beat, CancellationToken cancellationToken, Passage? passage = null)
    {
        passage ??= new Passage();
        using var answer = await patient.SendAsync(sandbox, call, passage, cancellationToken);
        if (answer is null)
        {
            await ModelRefusal.Unreachable.WriteAsync(context.Response, cancellationToken);
            return;
        }

        passage.Begin(answer.Answer);
        beat();
        await AnswerPump.PassAsync(answer.Answer, upstream.Secrets, context.Response, passage, beat, cancellationToken);
    }

    private async Task RefuseAsync(
        HttpContext context, SandboxName sandbox, Admission? admission, ModelRefusal refusal, CancellationToken cancellationToken)
    {
        var target = Printable.Escape($"{context.Request.Method} {context.Request.Path}{context.Request.QueryString}", MaxTarget);
        await audit.RecordAsync(sandbox, admission?.Assignment, new DoorDecision("model", target, false, refusal.Type), cancellationToken);
        await refusal.WriteAsync(context.Response, cancellationToken);
    }
}
