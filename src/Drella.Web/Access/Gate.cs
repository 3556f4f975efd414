using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Drella.Web.Access;

/// <summary>
/// Who may pass: the host name must be ours (a rebound name is not), the token must be right, and what changes something must come from
/// our own pages or from a program that holds the token. Sets the headers that keep hostile text inert.
/// </summary>
internal sealed class Gate(WebOptions options)
{
    private const string CookieName = "drella";
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    private readonly byte[] tokenHash = SHA256.HashData(Encoding.UTF8.GetBytes(options.Token));
    private readonly string configuredHost = new Uri(options.ListenUrl).Host;

    public async Task JudgeAsync(HttpContext context, RequestDelegate next)
    {
        var (request, response) = (context.Request, context.Response);
        response.Headers.ContentSecurityPolicy = Policy;
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers["Referrer-Policy"] = "no-referrer";
        response.Headers.CacheControl = "no-store";
        if (!IsOurHost(request.Host.Host))
        {
            response.StatusCode = StatusCodes.Status421MisdirectedRequest;
            return;
        }

        if (request.Path == "/login")
        {
            Login(context);
            return;
        }

        if (IsPublic(request.Path) || IsKnown(request))
        {
            await next(context);
            return;
        }

        response.StatusCode = StatusCodes.Status401Unauthorized;
        await response.WriteAsync("The token is missing or wrong. 'drella up' prints the address that lets you in.\n", context.RequestAborted);
    }

    private static bool IsPublic(PathString path) =>
        path == "/healthz" || path == "/readyz" || path == "/webhook" || path.StartsWithSegments("/assets") || Api.Images.IsImagePath(path);

    private bool IsOurHost(string host) => host is "localhost" or "127.0.0.1" or "[::1]" || host.Equals(configuredHost, StringComparison.OrdinalIgnoreCase);

    private bool IsKnown(HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString();
        if (header.StartsWith("Bearer ", StringComparison.Ordinal))
        {
            // A page of another origin cannot set this header without our consent.
            return IsToken(header["Bearer ".Length..]) && (!IsChange(request) || !request.Headers.ContainsKey(HeaderNames.Origin) || IsOwnOrigin(request));
        }

        return request.Cookies.TryGetValue(CookieName, out var cookie) && IsToken(cookie) && (!IsChange(request) || IsOwnOrigin(request));
    }

    private static bool IsChange(HttpRequest request) => !HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method);

    private static bool IsOwnOrigin(HttpRequest request) => request.Headers.Origin.ToString() == $"{request.Scheme}://{request.Host}";

    private bool IsToken(string given) => CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(given)), tokenHash);

    private void Login(HttpContext context)
    {
        if (!IsToken(context.Request.Query["token"].ToString()))
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return;
        }

        context.Response.Cookies.Append(CookieName, options.Token, new CookieOptions
        {
            HttpOnly = true,
            SameSite = Microsoft.AspNetCore.Http.SameSiteMode.Strict,
            Secure = context.Request.IsHttps,
            Path = "/",
        });
        context.Response.Redirect("/");
    }
}
