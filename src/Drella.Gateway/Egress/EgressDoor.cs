using System.Net;
using System.Text;
using Drella.Core;
using Drella.Core.Sandboxes;
using Drella.Gateway.Doors;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Drella.Gateway.Egress;

/// <summary>
/// The one way from a sandbox to the internet: an HTTP proxy that denies by default. Each connection asks for one thing, is decided once,
/// and its decision is written down before a byte leaves; what cannot be written down does not happen.
/// </summary>
internal sealed partial class EgressDoor(
    IOptions<EgressOptions> options, Dialer dialer, IDoorAudit audit, TimeProvider time, ILogger<EgressDoor> logger)
{
    private const int MaxTarget = 300;
    private const int PeekCapacity = 32 * 1024;
    private static readonly TimeSpan AuditTimeout = TimeSpan.FromSeconds(10);

    private readonly ConnectionSlots slots = new();

    /// <summary>
    /// Serves one connection to its end and closes it. Cut when the admission ends or <paramref name="cancellationToken"/> fires; neither
    /// that nor a broken connection is an error.
    /// </summary>
    public async Task ServeAsync(Stream connection, Func<Admission?> current, SandboxName sandbox, CancellationToken cancellationToken)
    {
        await using (connection)
        {
            try
            {
                await ServeCountedAsync(connection, current, sandbox, cancellationToken);
            }
            catch (IOException problem)
            {
                LogBroken(sandbox, problem.Message);
            }
            catch (OperationCanceledException)
            {
                LogCut(sandbox);
            }
        }
    }

    private async Task ServeCountedAsync(Stream connection, Func<Admission?> current, SandboxName sandbox, CancellationToken cancellationToken)
    {
        if (!slots.TryTake(sandbox, options.Value.MaxConnections))
        {
            await RefuseAsync(new Caller(connection, sandbox, current()), "", EgressRefusal.Busy, cancellationToken);
            return;
        }

        try
        {
            await ServeOneAsync(connection, current, sandbox, cancellationToken);
        }
        finally
        {
            slots.Return(sandbox);
        }
    }

    private async Task ServeOneAsync(Stream connection, Func<Admission?> current, SandboxName sandbox, CancellationToken cancellationToken)
    {
        var peek = new PeekBuffer(connection, PeekCapacity);
        var (length, refusal) = await InTimeAsync(
            peek.ReadHeadAsync, late: (0, EgressRefusal.HeadTooSlow), cancellationToken);
        var caller = new Caller(connection, sandbox, current());
        if (refusal is not null)
        {
            await RefuseAsync(caller, "", refusal, cancellationToken);
            return;
        }

        if (length == 0)
        {
            return;
        }

        var head = HttpHead.Parse(peek.Seen.Span[..length]);
        peek.Drop(length);
        if (head is null)
        {
            await RefuseAsync(caller, "", EgressRefusal.Malformed, cancellationToken);
            return;
        }

        var target = Printable.Escape($"{head.Method} {WithoutQuery(head.Target)}", MaxTarget);
        if (caller.Admission is not { } admission)
        {
            await RefuseAsync(caller, target, EgressRefusal.NotAdmitted, cancellationToken);
            return;
        }

        if (ProxyToken.Read(head) is not { } token)
        {
            await RefuseAsync(caller, target, EgressRefusal.NoToken, cancellationToken);
            return;
        }

        if (!admission.Accepts(token))
        {
            await RefuseAsync(caller, target, EgressRefusal.BadToken, cancellationToken);
            return;
        }

        using var life = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, admission.Ended);
        await (EgressRequest.From(head) switch
        {
            EgressRequest.Tunnel tunnel => TunnelAsync(caller, admission, tunnel, target, peek, life.Token),
            EgressRequest.Plain plain => ForwardAsync(caller, admission, plain, target, peek, life.Token),
            EgressRequest.Refused refused => RefuseAsync(caller, target, refused.Refusal, life.Token),
            _ => throw new System.Diagnostics.UnreachableException(),
        });
    }

    private async Task TunnelAsync(
        Caller caller, Admission admission, EgressRequest.Tunnel request, string target, PeekBuffer peek, CancellationToken cancellationToken)
    {
        var way = await FindWayAsync(admission, request.Host, request.Port, options.Value.TunnelPorts, cancellationToken);
        if (way.Refusal is not null)
        {
            await RefuseAsync(caller, target, way.Refusal, cancellationToken);
            return;
        }

        // The client speaks only after this answer, and what it says decides: so nothing has been dialled yet.
        await caller.Connection.WriteAsync("HTTP/1.1 200 Connection Established\r\n\r\n"u8.ToArray(), cancellationToken);
        var hello = await InTimeAsync<ClientHello?>(async token => await peek.ReadHelloAsync(token), late: null, cancellationToken);
        if (JudgeHello(hello, request.Host) is { } refusal)
        {
            await TryRecordAsync(caller, target, isAllowed: false, refusal.Rule, cancellationToken);
            return;
        }

        if (!await TryRecordAsync(caller, target, isAllowed: true, way.Rule, cancellationToken))
        {
            return;
        }

        await using var server = await dialer.DialAsync(way.EndPoints, cancellationToken);
        if (server is null)
        {
            LogUnreachable(caller.Sandbox, target);
            return;
        }

        await server.WriteAsync(peek.Seen, cancellationToken);
        await RelayAsync(caller, server, target, upload: null, cancellationToken);
    }

    private async Task ForwardAsync(
        Caller caller, Admission admission, EgressRequest.Plain request, string target, PeekBuffer peek, CancellationToken cancellationToken)
    {
        var way = !options.Value.PlainMethods.Contains(request.Method)
            ? new Way([], "", EgressRefusal.Method)
            : request.BodyLength > options.Value.MaxUploadBytes || (request.BodyLength > 0 && request.Method is "GET" or "HEAD")
                ? new Way([], "", EgressRefusal.Body)
                : await FindWayAsync(admission, request.Host, request.Port, options.Value.PlainPorts, cancellationToken);
        if (way.Refusal is not null)
        {
            await RefuseAsync(caller, target, way.Refusal, cancellationToken);
            return;
        }

        if (!await TryRecordAsync(caller, target, isAllowed: true, way.Rule, cancellationToken))
        {
            await AnswerAsync(caller.Connection, EgressRefusal.NoAudit, cancellationToken);
            return;
        }

        await using var server = await dialer.DialAsync(way.EndPoints, cancellationToken);
        if (server is null)
        {
            LogUnreachable(caller.Sandbox, target);
            await AnswerAsync(caller.Connection, EgressRefusal.Unreachable, cancellationToken);
            return;
        }

        // What follows the body would be a second request that nobody has judged: it stays behind.
        var early = peek.Seen[..(int)Math.Min(peek.Seen.Length, request.BodyLength)];
        await server.WriteAsync(request.Head, cancellationToken);
        await server.WriteAsync(early, cancellationToken);
        await RelayAsync(caller, server, target, request.BodyLength - early.Length, cancellationToken);
    }

    private async Task<Way> FindWayAsync(Admission admission, HostName host, int port, IList<int> ports, CancellationToken cancellationToken)
    {
        AllowList allowList;
        try
        {
            allowList = AllowList.Parse(admission.Egress.AllowedHosts);
        }
        catch (FormatException)
        {
            return new Way([], "", EgressRefusal.BadList);
        }

        // Names that are not on the list are never looked up: a lookup is a way out of its own.
        if (allowList.Match(host) is not { } pattern)
        {
            return new Way([], "", EgressRefusal.NotListed);
        }

        if (!ports.Contains(port) && !options.Value.LiftsPort(host, port))
        {
            return new Way([], "", EgressRefusal.Port);
        }

        var (endPoints, refusal) = await dialer.LookUpAsync(host, port, cancellationToken);
        return new Way(endPoints, "allow " + pattern, refusal);
    }

    private static EgressRefusal? JudgeHello(ClientHello? hello, HostName host) => hello switch
    {
        null => EgressRefusal.HelloTooSlow,
        ClientHello.Complete { IsEncrypted: true } => EgressRefusal.HiddenServerName,
        ClientHello.Complete { ServerName: null } => EgressRefusal.NoServerName,
        ClientHello.Complete complete => complete.ServerName.Equals(host.Value, StringComparison.OrdinalIgnoreCase) ? null : EgressRefusal.OtherServerName,
        _ => EgressRefusal.NotTls,
    };

    private async Task RelayAsync(Caller caller, Stream server, string target, long? upload, CancellationToken cancellationToken)
    {
        var relay = new Relay(time, options.Value.IdleTimeout, options.Value.MaxUploadBytes, options.Value.MaxDownloadBytes);
        var end = await relay.RunAsync(caller.Connection, server, upload, cancellationToken);
        LogEnded(caller.Sandbox, target, end);
    }

    private async Task RefuseAsync(Caller caller, string target, EgressRefusal refusal, CancellationToken cancellationToken)
    {
        await TryRecordAsync(caller, target, isAllowed: false, refusal.Rule, cancellationToken);
        await AnswerAsync(caller.Connection, refusal, cancellationToken);
    }

    private async Task<bool> TryRecordAsync(Caller caller, string target, bool isAllowed, string rule, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(AuditTimeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            await audit.RecordAsync(
                caller.Sandbox, caller.Admission?.Assignment, new DoorDecision("egress", target, isAllowed, rule), both.Token);
            return true;
        }
        catch (Exception problem) when (problem is DriverException or IOException or InvalidOperationException)
        {
            LogNoAudit(caller.Sandbox, rule, problem);
            return false;
        }
        catch (OperationCanceledException problem) when (!cancellationToken.IsCancellationRequested)
        {
            LogNoAudit(caller.Sandbox, rule, problem);
            return false;
        }
    }

    private async Task<T> InTimeAsync<T>(Func<CancellationToken, Task<T>> read, T late, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(options.Value.HeadTimeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            return await read(both.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return late;
        }
    }

    private static async Task AnswerAsync(Stream connection, EgressRefusal refusal, CancellationToken cancellationToken)
    {
        var body = $"drella: {refusal.Text}\n";
        var challenge = refusal.Status == 407 ? "Proxy-Authenticate: Basic realm=\"drella\"\r\n" : "";
        var answer = $"HTTP/1.1 {refusal.Status} {Phrase(refusal.Status)}\r\nContent-Type: text/plain\r\n{challenge}"
            + $"X-Drella-Rule: {refusal.Rule}\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}";
        await connection.WriteAsync(Encoding.ASCII.GetBytes(answer), cancellationToken);
    }

    private static string Phrase(int status) => status switch
    {
        400 => "Bad Request",
        403 => "Forbidden",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        431 => "Request Header Fields Too Large",
        502 => "Bad Gateway",
        _ => "Service Unavailable",
    };

    private static string WithoutQuery(string target)
    {
        var query = target.IndexOf('?', StringComparison.Ordinal);
        return query < 0 ? target : target[..query] + "?";
    }

    private sealed record Caller(Stream Connection, SandboxName Sandbox, Admission? Admission);

    private sealed record Way(IReadOnlyList<IPEndPoint> EndPoints, string Rule, EgressRefusal? Refusal);

    [LoggerMessage(LogLevel.Debug, "{Sandbox} egress connection broke: {Problem}")]
    private partial void LogBroken(SandboxName sandbox, string problem);

    [LoggerMessage(LogLevel.Debug, "{Sandbox} egress connection cut")]
    private partial void LogCut(SandboxName sandbox);

    [LoggerMessage(LogLevel.Information, "{Sandbox} {Target}: allowed, but no connection could be made")]
    private partial void LogUnreachable(SandboxName sandbox, string target);

    [LoggerMessage(LogLevel.Debug, "{Sandbox} {Target} ended: {End}")]
    private partial void LogEnded(SandboxName sandbox, string target, RelayEnd end);

    [LoggerMessage(LogLevel.Error, "{Sandbox} egress decision {Rule} could not be written down; refused")]
    private partial void LogNoAudit(SandboxName sandbox, string rule, Exception problem);
}
