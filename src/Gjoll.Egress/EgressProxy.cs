using System.Net;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Gjoll.Egress;

/// <summary>
/// The one way from a sandbox to the internet: an HTTP proxy that denies by default. Each connection asks for one thing, is decided once,
/// and its decision is written down before a byte leaves; what cannot be written down does not happen.
/// </summary>
public sealed partial class EgressProxy
{
    /// <summary>The door's name in decisions.</summary>
    public const string Door = "egress";

    private const int MaxTarget = 300;
    private const int PeekCapacity = 32 * 1024;

    private readonly ConnectionSlots slots = new();
    private readonly EgressOptions options;
    private readonly Dialer dialer;
    private readonly DecisionRecorder recorder;
    private readonly string word;
    private readonly TimeProvider time;
    private readonly ILogger<EgressProxy> logger;

    /// <param name="options">Bounds, checked by <see cref="EgressOptionsCheck"/>.</param>
    /// <param name="audit">Takes every decision before it is acted on.</param>
    /// <param name="word">The product's name in what the guest is told: one capitalised ASCII word.</param>
    /// <param name="time">The clock of every bound.</param>
    /// <param name="logger">What an operator may want to know besides.</param>
    public EgressProxy(EgressOptions options, IEgressAudit audit, string word, TimeProvider time, ILogger<EgressProxy> logger)
        : this(options, audit, Dns.GetHostAddressesAsync, word, time, logger)
    {
    }

    internal EgressProxy(EgressOptions options, IEgressAudit audit, ResolveHost resolve, string word, TimeProvider time, ILogger<EgressProxy> logger)
    {
        (this.options, this.word, this.time, this.logger) = (options, word, time, logger);
        recorder = new DecisionRecorder(audit, time, logger);
        dialer = new Dialer(() => options.DialTimeout, resolve, time);
    }

    /// <summary>
    /// Serves one connection to its end and closes it. Cut when the admission ends or <paramref name="cancellationToken"/> fires; neither
    /// that nor a broken connection is an error.
    /// </summary>
    public async Task ServeAsync(Stream connection, Func<IEgressAdmission?> current, string sandbox, CancellationToken cancellationToken)
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

    private async Task ServeCountedAsync(Stream connection, Func<IEgressAdmission?> current, string sandbox, CancellationToken cancellationToken)
    {
        if (!slots.TryTake(sandbox, options.MaxConnections))
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

    private async Task ServeOneAsync(Stream connection, Func<IEgressAdmission?> current, string sandbox, CancellationToken cancellationToken)
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

        if (JudgeToken(admission, head) is { } stranger)
        {
            await RefuseAsync(caller, target, stranger, cancellationToken);
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
        Caller caller, IEgressAdmission admission, EgressRequest.Tunnel request, string target, PeekBuffer peek, CancellationToken cancellationToken)
    {
        var way = await FindWayAsync(admission, request.Host, request.Port, options.TunnelPorts, cancellationToken);
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
        Caller caller, IEgressAdmission admission, EgressRequest.Plain request, string target, PeekBuffer peek, CancellationToken cancellationToken)
    {
        var way = !options.PlainMethods.Contains(request.Method)
            ? new Way([], "", EgressRefusal.Method)
            : request.BodyLength > options.MaxUploadBytes || (request.BodyLength > 0 && request.Method is "GET" or "HEAD")
                ? new Way([], "", EgressRefusal.Body)
                : await FindWayAsync(admission, request.Host, request.Port, options.PlainPorts, cancellationToken);
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

    private async Task<Way> FindWayAsync(IEgressAdmission admission, HostName host, int port, IList<int> ports, CancellationToken cancellationToken)
    {
        AllowList allowList;
        try
        {
            allowList = AllowList.Parse(admission.AllowedHosts);
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

        if (!ports.Contains(port) && !options.LiftsPort(host, port))
        {
            return new Way([], "", EgressRefusal.Port);
        }

        var (endPoints, refusal) = await dialer.LookUpAsync(host.Value, port, endPoint => options.Lifts(host, endPoint), cancellationToken);
        return new Way(endPoints, "allow " + pattern, refusal);
    }

    private static EgressRefusal? JudgeToken(IEgressAdmission admission, HttpHead head) =>
        !admission.NeedsToken ? null
        : ProxyToken.Read(head) is not { } token ? EgressRefusal.NoToken
        : admission.Accepts(token) ? null
        : EgressRefusal.BadToken;

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
        var relay = new Relay(time, options.IdleTimeout, options.MaxUploadBytes, options.MaxDownloadBytes);
        var end = await relay.RunAsync(caller.Connection, server, upload, cancellationToken);
        LogEnded(caller.Sandbox, target, end);
    }

    private async Task RefuseAsync(Caller caller, string target, EgressRefusal refusal, CancellationToken cancellationToken)
    {
        await TryRecordAsync(caller, target, isAllowed: false, refusal.Rule, cancellationToken);
        await AnswerAsync(caller.Connection, refusal, cancellationToken);
    }

    private Task<bool> TryRecordAsync(Caller caller, string target, bool isAllowed, string rule, CancellationToken cancellationToken) =>
        recorder.TryRecordAsync(caller.Sandbox, caller.Admission, new EgressDecision(Door, target, isAllowed, rule), cancellationToken);

    private async Task<T> InTimeAsync<T>(Func<CancellationToken, Task<T>> read, T late, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(options.HeadTimeout, time);
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

    private async Task AnswerAsync(Stream connection, EgressRefusal refusal, CancellationToken cancellationToken)
    {
        var name = word.ToLowerInvariant();
        var body = $"{name}: {refusal.Text}\n";
        var challenge = refusal.Status == 407 ? $"Proxy-Authenticate: Basic realm=\"{name}\"\r\n" : "";
        var answer = $"HTTP/1.1 {refusal.Status} {Phrase(refusal.Status)}\r\nContent-Type: text/plain\r\n{challenge}"
            + $"X-{word}-Rule: {refusal.Rule}\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}";
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

    private sealed record Caller(Stream Connection, string Sandbox, IEgressAdmission? Admission);

    private sealed record Way(IReadOnlyList<IPEndPoint> EndPoints, string Rule, EgressRefusal? Refusal);

    [LoggerMessage(LogLevel.Debug, "{Sandbox} egress connection broke: {Problem}")]
    private partial void LogBroken(string sandbox, string problem);

    [LoggerMessage(LogLevel.Debug, "{Sandbox} egress connection cut")]
    private partial void LogCut(string sandbox);

    [LoggerMessage(LogLevel.Information, "{Sandbox} {Target}: allowed, but no connection could be made")]
    private partial void LogUnreachable(string sandbox, string target);

    [LoggerMessage(LogLevel.Debug, "{Sandbox} {Target} ended: {End}")]
    private partial void LogEnded(string sandbox, string target, RelayEnd end);
}
