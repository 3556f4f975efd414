using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Drella.Core;
using Drella.Core.Forges;
using Drella.Drivers.Forges.GitHub.Http;
using Drella.Drivers.Forges.GitHub.Wire;
using Microsoft.Extensions.Logging;

namespace Drella.Drivers.Forges.GitHub;

/// <summary>The two interfaces of one forge, REST and GraphQL, behind the chain of handlers. Thread-safe.</summary>
internal sealed partial class GitHubApi : IDisposable
{
    private const int MaxPages = 1000;

    private readonly HttpMessageInvoker _http;
    private readonly HttpMessageInvoker _unsigned;

    public GitHubApi(GitHubOptions options, HttpMessageHandler? inner, TimeProvider time, ILogger logger)
    {
        Endpoints = new Endpoints(options);
        Credentials = new Credentials(options, Endpoints, time);
        var gap = options.WriteGap ?? (Endpoints.IsGitHubDotCom ? TimeSpan.FromSeconds(1) : TimeSpan.Zero);

        // From the outside in. Redirects are outermost, so that each hop is judged anew by the handler that adds the token.
        var limits = new RateLimitHandler(options.MaxWait, time, logger);
        DelegatingHandler[] chain =
        [
            new RedirectHandler(Endpoints),
            new PacedWritesHandler(gap, time),
            new AuthenticationHandler(Endpoints, Credentials),
            limits,
            new ConditionalHandler(Endpoints, options.CacheBytes),
            new BoundedHandler(options.RequestTimeout, options.MaxResponseBytes, time),
        ];
        var next = inner ?? new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.All,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            ConnectTimeout = TimeSpan.FromSeconds(10),
            MaxResponseHeadersLength = 64,
        };
        foreach (var handler in chain.Reverse())
        {
            handler.InnerHandler = next;
            next = handler;
        }

        _http = new HttpMessageInvoker(next, disposeHandler: true);
        _unsigned = new HttpMessageInvoker(limits, disposeHandler: false);
    }

    public Endpoints Endpoints { get; }

    public Credentials Credentials { get; }

    public static HttpRequestMessage NewRequest(HttpMethod method, Uri address)
    {
        var request = new HttpRequestMessage(method, address);
        request.Headers.Accept.ParseAdd("application/vnd.github+json");
        request.Headers.TryAddWithoutValidation("X-GitHub-Api-Version", "2022-11-28");
        request.Headers.UserAgent.ParseAdd("drellabot");
        return request;
    }

    public async Task<T> GetAsync<T>(RepoName? repo, string url, CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Get, repo, url);
        return await ExchangeAsync<T>(request, cancellationToken);
    }

    /// <summary>As <see cref="GetAsync"/>, with a bound on the size of the answer.</summary>
    public async Task<T> GetAsync<T>(RepoName repo, string url, int maxBytes, CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Get, repo, url);
        request.Options.Set(Requests.MaxBytes, maxBytes);
        return await ExchangeAsync<T>(request, cancellationToken);
    }

    /// <summary>Signed as the app itself.</summary>
    public async Task<T> GetAsAppAsync<T>(string url, CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Get, repo: null, url);
        request.Options.Set(Requests.AsApp, true);
        return await ExchangeAsync<T>(request, cancellationToken);
    }

    /// <summary>Null when the answer is that there is no such thing.</summary>
    public async Task<T?> TryGetAsync<T>(RepoName repo, string url, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            return await GetAsync<T>(repo, url, cancellationToken);
        }
        catch (DriverException e) when (e.Failure == DriverFailure.NotFoundOrNoAccess)
        {
            return null;
        }
    }

    /// <summary>All items of a paged list.</summary>
    public async Task<List<T>> ListAsync<T>(RepoName repo, string url, CancellationToken cancellationToken)
        where T : class =>
        await PagesAsync<T[]>(repo, url, cancellationToken).SelectMany(p => p.OfType<T>()).ToListAsync(cancellationToken);

    /// <summary>The pages of a list, as they are asked for.</summary>
    public async IAsyncEnumerable<TPage> PagesAsync<TPage>(
        RepoName repo, string url, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var seen = new HashSet<Uri>();
        for (Uri? next = Endpoints.Rest(url); next is not null;)
        {
            if (!seen.Add(next) || seen.Count > MaxPages)
            {
                throw new DriverException(isTransient: false, $"GET {Plain.Line(url, 200)}: the pages have no end") { Failure = DriverFailure.Exhausted };
            }

            using var request = Request(HttpMethod.Get, repo, next);
            using var response = await SendAsync(request, cancellationToken);
            yield return await Answers.ReadAsync<TPage>(request, response, cancellationToken);
            next = Next(request, response);
        }
    }

    public async Task<TAnswer> WriteAsync<TBody, TAnswer>(
        HttpMethod method, RepoName repo, string url, TBody body, CancellationToken cancellationToken)
    {
        using var request = Request(method, repo, url);
        request.Content = JsonBody.Of(body);
        return await ExchangeAsync<TAnswer>(request, cancellationToken);
    }

    public async Task WriteAsync<TBody>(HttpMethod method, RepoName repo, string url, TBody body, CancellationToken cancellationToken)
    {
        using var request = Request(method, repo, url);
        request.Content = JsonBody.Of(body);
        using var response = await SendAsync(request, cancellationToken);
    }

    public async Task DeleteAsync(RepoName repo, string url, CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Delete, repo, url);
        using var response = await SendAsync(request, cancellationToken);
    }

    /// <summary>Runs a document; any error in the answer fails the call, partial data or not.</summary>
    public async Task<T> GraphQlAsync<T>(RepoName repo, string document, JsonObject variables, bool isQuery, CancellationToken cancellationToken)
        where T : class
    {
        using var request = Request(HttpMethod.Post, repo, Endpoints.GraphQl);
        request.Options.Set(Requests.IsQuery, isQuery);
        request.Content = JsonBody.Of(new WireGraphRequest(document, variables));
        var reply = await ExchangeAsync<WireGraphReply<T>>(request, cancellationToken);
        if (reply.Errors?.OfType<WireGraphError>().FirstOrDefault() is { } error)
        {
            throw new DriverException(
                isTransient: error.Type is "RATE_LIMITED" or "SERVICE_UNAVAILABLE",
                $"{request.Describe()}: {Plain.Line(Credentials.Redact($"{error.Type} {error.Message}"), 500)}")
            {
                Failure = error.Type switch
                {
                    "NOT_FOUND" => DriverFailure.NotFoundOrNoAccess,
                    "FORBIDDEN" or "INSUFFICIENT_SCOPES" => DriverFailure.Forbidden,
                    "RATE_LIMITED" => DriverFailure.Throttled,
                    "SERVICE_UNAVAILABLE" => DriverFailure.Unavailable,
                    _ => DriverFailure.Invalid,
                },
            };
        }

        return reply.Data ?? throw new DriverException(isTransient: true, $"{request.Describe()}: an answer without data");
    }

    /// <summary>The token for Git.</summary>
    public async Task<string> TokenAsync(RepoName repo, CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Get, repo, UrlFormat.Url($"/repos/{repo}"));
        return await Credentials.TokenAsync(request, _unsigned.SendAsync, cancellationToken)
            ?? throw new InvalidOperationException("a request for a repository is always signed");
    }

    public void Dispose()
    {
        _unsigned.Dispose();
        _http.Dispose();
        Credentials.Dispose();
    }

    private HttpRequestMessage Request(HttpMethod method, RepoName? repo, string url) => Request(method, repo, Endpoints.Rest(url));

    private static HttpRequestMessage Request(HttpMethod method, RepoName? repo, Uri address)
    {
        var request = NewRequest(method, address);
        request.Options.Set(Requests.Repo, repo);
        return request;
    }

    private async Task<T> ExchangeAsync<T>(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(request, cancellationToken);
        return await Answers.ReadAsync<T>(request, response, cancellationToken);
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await _http.SendAsync(request, cancellationToken);
        try
        {
            await Answers.EnsureSuccessAsync(request, response, Credentials, cancellationToken);
            return response;
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    /// <summary>The next page exactly as the forge names it, such as <c>https://api.github.com/repositories/1/issues?page=2</c>, if it is the forge's own.</summary>
    private Uri? Next(HttpRequestMessage request, HttpResponseMessage response)
    {
        var link = response.Headers.TryGetValues("Link", out var values) ? string.Join(", ", values) : "";
        var match = NextLink().Match(link);
        if (!match.Success)
        {
            return null;
        }

        return Uri.TryCreate(match.Groups[1].Value, UriKind.Absolute, out var next) && Endpoints.SameOrigin(next, Endpoints.Api)
            ? next
            : throw new DriverException(isTransient: false, $"{request.Describe()}: the next page is named at another host");
    }

    [GeneratedRegex("""<([^<>]*)>\s*;[^<>]*?\brel\s*=\s*"?next\b""", RegexOptions.CultureInvariant)]
    private static partial Regex NextLink();
}
