using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

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
    private readonly HashSet<string> hosts = new(
        new[] { "http://localhost", "http://127.0.0.1", "http://[::1]", options.ListenUrl, options.PublicUrl }.OfType<string>().Select(url => new Uri(url).Host),
        StringComparer.OrdinalIgnoreCase);
    private readonly string? publicOrigin = options.PublicUrl is { } url ? new Uri(url).GetLeftPart(UriPartial.Authority) : null;

    public async Task JudgeAsync(HttpContext context, RequestDelegate next)
    {
        var (request, response) = (context.Request, context.Response);
        response.Headers.ContentSecurityPolicy = Policy;
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers["Referrer-Policy"] = "no-referrer";
        response.Headers.CacheControl = "no-store";
        if (!hosts.Contains(request.Host.Host))
        {
            await SayAsync(context, StatusCodes.Status403Forbidden, "this is not the name of this factory");
            return;
        }

        if (request.Path == "/login")
        {
            await LoginAsync(context);
            return;
        }

        if (IsPublic(request.Path))
        {
            await next(context);
        }
        else if (Holder(request) is not { } holder)
        {
            await SayAsync(context, StatusCodes.Status401Unauthorized, "the token is missing or wrong; 'drella up' prints the address that lets you in");
        }
        else if (IsChange(request) && !MayChange(request, holder))
        {
            await SayAsync(context, StatusCodes.Status403Forbidden, "a change must come from this factory's own pages, or from a program that holds the token");
        }
        else
        {
            await next(context);
        }
    }

    private enum Proof
    {
        Header,
        Cookie,
    }

    private static bool IsPublic(PathString path) =>
        path == "/healthz" || path == "/readyz" || path == "/webhook" || path.StartsWithSegments("/assets") || Api.Images.IsImagePath(path);

    private Proof? Holder(HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString();
        if (header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
        {
            return IsToken(header["Bearer ".Length..]) ? Proof.Header : null;
        }

        return request.Cookies.TryGetValue(CookieName, out var cookie) && IsToken(cookie) ? Proof.Cookie : null;
    }

    // A browser sends the cookie by itself, so there the origin has to be ours; a header is only ever set on purpose.
    private bool MayChange(HttpRequest request, Proof proof)
    {
        var origin = request.Headers.Origin.ToString();
        return origin.Length == 0 ? proof == Proof.Header : origin == $"{request.Scheme}://{request.Host}" || origin == publicOrigin;
    }

    private static bool IsChange(HttpRequest request) => !HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method);

    private bool IsToken(string given) => CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(given)), tokenHash);

    private Task LoginAsync(HttpContext context)
    {
        if (!IsToken(context.Request.Query["token"].ToString()))
        {
            return SayAsync(context, StatusCodes.Status401Unauthorized, "the token is wrong; 'drella up' prints the address that lets you in");
        }

        context.Response.Cookies.Append(CookieName, options.Token, new CookieOptions
        {
            HttpOnly = true,
            SameSite = Microsoft.AspNetCore.Http.SameSiteMode.Strict,
            Secure = context.Request.IsHttps,
            Path = "/",
        });
        context.Response.Redirect("/");
        return Task.CompletedTask;
    }

    private static Task SayAsync(HttpContext context, int status, string why)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(new { error = why }, WebServer.Wire, context.RequestAborted);
    }
}
