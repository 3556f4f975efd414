using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using Drella.Forge.Accounts;
using Drella.Forge.Pulls;
using Drella.Forge.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Logging;

namespace Drella.Forge.Git;

/// <summary>
/// Git's smart HTTP protocol over <c>upload-pack</c> and <c>receive-pack</c>. Both directions stream; when the client leaves, the processes end.
/// </summary>
internal sealed partial class GitHttp(
    Database database, Credentials credentials, RepositoryFolder folder, PushObserver observer, GitRunner git, ForgeOptions options, ILogger<GitHttp> logger) : IDisposable
{
    private const int MaxDrained = 64 * 1024 * 1024;
    private static readonly TimeSpan QueuePatience = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim _processes = new(options.MaxPackProcesses);

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/{owner}/{repo}/info/refs", context => GuardAsync(context, () => AdvertiseAsync(context)));
        routes.MapPost("/{owner}/{repo}/git-upload-pack", context => GuardAsync(context, () => UploadAsync(context)));
        routes.MapPost("/{owner}/{repo}/git-receive-pack", context => GuardAsync(context, () => ReceiveAsync(context)));
    }

    public void Dispose() => _processes.Dispose();

    private static async Task GuardAsync(HttpContext context, Func<Task> action)
    {
        try
        {
            await action();
        }
        catch (ForgeRefusal refusal) when (!context.Response.HasStarted)
        {
            context.Response.StatusCode = refusal.Status;
            if (refusal.Status == StatusCodes.Status401Unauthorized)
            {
                context.Response.Headers.WWWAuthenticate = "Basic realm=\"drella\"";
            }

            context.Response.ContentType = "text/plain; charset=utf-8";
            await context.Response.WriteAsync(refusal.Message + "\n", context.RequestAborted);
        }
        catch (Exception e) when (e is EndOfStreamException or InvalidDataException && !context.Response.HasStarted)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The client left in the middle; there is nobody to answer.
            context.Abort();
        }
    }

    private async Task AdvertiseAsync(HttpContext context)
    {
        var service = context.Request.Query["service"].ToString();
        if (service is not ("git-upload-pack" or "git-receive-pack"))
        {
            throw new ForgeRefusal(403, "Only the smart protocol is served");
        }

        var (repo, _, _) = Authorise(context, service == "git-receive-pack" ? ForgeRole.Write : ForgeRole.Read);
        var protocol = Protocol(context);
        Head(context, $"application/x-{service}-advertisement");
        if (service == "git-receive-pack" || protocol?.Contains("version=2", StringComparison.Ordinal) != true)
        {
            await context.Response.Body.WriteAsync(PktLine.Encode($"# service={service}\n"), context.RequestAborted);
            await context.Response.Body.WriteAsync("0000"u8.ToArray(), context.RequestAborted);
        }

        await PackAsync(context, repo, service["git-".Length..], ["--advertise-refs"], protocol, Stream.Null, default, false);
    }

    private async Task UploadAsync(HttpContext context)
    {
        var (repo, _, _) = Authorise(context, ForgeRole.Read);
        await using var body = Body(context, "application/x-git-upload-pack-request");
        Head(context, "application/x-git-upload-pack-result");
        await PackAsync(context, repo, "upload-pack", [], Protocol(context), body, default, false);
    }

    private async Task ReceiveAsync(HttpContext context)
    {
        var (repo, role, user) = Authorise(context, ForgeRole.Write);
        await using var body = Body(context, "application/x-git-receive-pack-request");
        var head = await PktLine.ReadPushHeadAsync(body, context.RequestAborted);
        var (refusals, fastForward) = database.Read(db => (
            head.Commands.ToDictionary(c => c, c => PushPolicy.Refuse(db, repo, role, c)), PushPolicy.MustFastForward(db, repo, head.Commands)));
        if (refusals.Values.Any(r => r is not null))
        {
            // Git reads the answer only when it has sent its pack.
            await DrainAsync(body, context.RequestAborted);
            Head(context, "application/x-git-receive-pack-result");
            await context.Response.Body.WriteAsync(PktLine.Report(head, c => refusals[c]), context.RequestAborted);
            return;
        }

        Head(context, "application/x-git-receive-pack-result");
        try
        {
            await PackAsync(context, repo, "receive-pack", [], Protocol(context), body, head.Raw, fastForward);
        }
        finally
        {
            // Git may have moved the refs although the client is gone, so this does not run under the request's token.
            if (head.Commands.Count > 0)
            {
                await observer.AfterPushAsync(repo, user!, head.Commands, CancellationToken.None);
            }
        }
    }

    private (RepoRow Repo, ForgeRole Role, UserRow? User) Authorise(HttpContext context, ForgeRole needed)
    {
        var user = credentials.Authenticate(context.Request.Headers.Authorization);
        var name = (string)context.Request.RouteValues["repo"]!;
        name = name.EndsWith(".git", StringComparison.Ordinal) ? name[..^4] : name;
        var repo = GitNames.IsRepository(name) ? database.Read(db => db.FindRepo((string)context.Request.RouteValues["owner"]!, name)) : null;
        var role = repo is null ? ForgeRole.None : database.Read(db => db.RoleOf(repo, user));
        if (repo is not null && role >= needed)
        {
            return (repo, role, user);
        }

        // Without credentials Git must be asked for some, whether or not there is such a repository.
        throw user is null ? ForgeRefusal.Unauthorized() : role == ForgeRole.None ? ForgeRefusal.NotFound() : ForgeRefusal.Forbidden("Write access is not granted");
    }

    private async Task PackAsync(
        HttpContext context, RepoRow repo, string command, string[] arguments, string? protocol, Stream input, ReadOnlyMemory<byte> first, bool fastForward)
    {
        var aborted = context.RequestAborted;
        if (!await _processes.WaitAsync(QueuePatience, aborted))
        {
            context.Response.Headers.RetryAfter = "30";
            throw new ForgeRefusal(503, "Too many Git requests at one time");
        }

        try
        {
            var environment = protocol is null ? null : new Dictionary<string, string>(StringComparer.Ordinal) { ["GIT_PROTOCOL"] = protocol };
            var start = git.Command(null, [.. Settings(fastForward), command, "--stateless-rpc", .. arguments, folder.Open(repo).Path], environment);
            using var process = Process.Start(start) ?? throw new GitFailure("git could not be started");
            try
            {
                var errors = process.StandardError.ReadToEndAsync(aborted);
                var output = process.StandardOutput.BaseStream.CopyToAsync(context.Response.Body, aborted);
                await FeedAsync(process, first, input, aborted);
                await Task.WhenAll(output, errors, process.WaitForExitAsync(aborted));
                if (process.ExitCode != 0)
                {
                    LogPackFailed(command, repo.FullName, process.ExitCode, await errors);
                }
            }
            finally
            {
                if (!process.HasExited)
                {
                    process.Kill(entireProcessTree: true);
                }
            }
        }
        finally
        {
            _processes.Release();
        }
    }

    private static async Task FeedAsync(Process process, ReadOnlyMemory<byte> first, Stream input, CancellationToken cancellationToken)
    {
        try
        {
            await process.StandardInput.BaseStream.WriteAsync(first, cancellationToken);
            await input.CopyToAsync(process.StandardInput.BaseStream, cancellationToken);
            process.StandardInput.Close();
        }
        catch (IOException) when (process.HasExited)
        {
            // Git has read enough; its answer says why.
        }
    }

    private IEnumerable<string> Settings(bool fastForward) =>
    [
        "-c", "transfer.fsckObjects=true", "-c", "receive.fsckObjects=true", "-c", FormattableString.Invariant($"receive.maxInputSize={options.MaxPushBytes}"),
        "-c", "receive.advertisePushOptions=false", "-c", "receive.hideRefs=refs/pull", "-c", "receive.autogc=false",
        "-c", "receive.denyNonFastForwards=" + (fastForward ? "true" : "false"), "-c", "receive.denyDeleteCurrent=refuse",
        "-c", "uploadpack.allowFilter=true", "-c", "uploadpack.allowReachableSHA1InWant=true",
    ];

    private static Stream Body(HttpContext context, string contentType)
    {
        if (context.Request.ContentType != contentType)
        {
            throw new ForgeRefusal(415, "Unexpected content type");
        }

        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null;
        }

        if (context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null;
        }

        return context.Request.Headers.ContentEncoding.ToString() switch
        {
            "" or "identity" => context.Request.Body,
            "gzip" or "x-gzip" => new GZipStream(context.Request.Body, CompressionMode.Decompress),
            _ => throw new ForgeRefusal(415, "Unexpected content encoding"),
        };
    }

    private static void Head(HttpContext context, string contentType)
    {
        context.Response.ContentType = contentType;
        context.Response.Headers.CacheControl = "no-cache, max-age=0, must-revalidate";
        context.Response.Headers.Expires = "Fri, 01 Jan 1980 00:00:00 GMT";
        context.Response.Headers.Pragma = "no-cache";
        if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null;
        }
    }

    private static async Task DrainAsync(Stream body, CancellationToken cancellationToken)
    {
        var buffer = new byte[64 * 1024];
        for (var total = 0; total < MaxDrained;)
        {
            var read = await body.ReadAsync(buffer, cancellationToken);
            if (read == 0)
            {
                return;
            }

            total += read;
        }

        throw new IOException("The refused push was too large to be read to its end.");
    }

    private static string? Protocol(HttpContext context) =>
        context.Request.Headers["Git-Protocol"].ToString() is { Length: > 0 } value && ProtocolPattern().IsMatch(value) ? value : null;

    [GeneratedRegex("^[a-z0-9=:._-]{1,64}\\z", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex ProtocolPattern();

    [LoggerMessage(LogLevel.Warning, "git {Command} on {Repository} ended with {ExitCode}: {Error}")]
    private partial void LogPackFailed(string command, string repository, int exitCode, string error);
}
