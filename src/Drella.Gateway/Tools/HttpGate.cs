using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Drella.Gateway.Tools;

/// <summary>What the head of a request must look like before anything of it is used. Pure.</summary>
internal static class HttpGate
{
    private const string Path = "/mcp";
    private static readonly string[] Names = ["127.0.0.1", "localhost"];

    /// <summary>The status to answer with and the rule that says so, or null when the request may pass to authentication.</summary>
    public static (int Status, string Rule)? Judge(HttpRequest request)
    {
        // A web page in someone's browser can reach a loopback port; it cannot lie about these two.
        if (!IsOurName(request))
        {
            return (StatusCodes.Status403Forbidden, "host");
        }

        if (request.Headers.TryGetValue(HeaderNames.Origin, out var origin)
            && (origin.Count != 1 || !string.Equals(origin[0], $"http://{request.Host.Value}", StringComparison.OrdinalIgnoreCase)))
        {
            return (StatusCodes.Status403Forbidden, "origin");
        }

        if (!request.Path.Equals(Path, StringComparison.Ordinal) || request.PathBase.HasValue)
        {
            return (StatusCodes.Status404NotFound, "path");
        }

        return HttpMethods.IsPost(request.Method) ? null : (StatusCodes.Status405MethodNotAllowed, "method");
    }

    /// <summary>The bearer token, from the one header where it may stand; null when there is not exactly one.</summary>
    public static string? Token(HttpRequest request)
    {
        const string Scheme = "Bearer ";
        var values = request.Headers.Authorization;
        return values.Count == 1 && values[0] is { Length: > 7 and <= 512 } value && value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            ? value[Scheme.Length..].Trim()
            : null;
    }

    /// <summary>True for JSON in UTF-8, as it is.</summary>
    public static bool IsJson(HttpRequest request) =>
        request.Headers.ContentType.Count == 1
        && request.Headers.ContentEncoding.Count == 0
        && MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
        && type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
        && (!type.Charset.HasValue || HeaderUtilities.RemoveQuotes(type.Charset).Equals("utf-8", StringComparison.OrdinalIgnoreCase));

    private static bool IsOurName(HttpRequest request) =>
        request.Headers.Host.Count == 1
        && Names.Contains(request.Host.Host, StringComparer.OrdinalIgnoreCase)
        && (request.Host.Port is > 0 || request.Host.Value == request.Host.Host);
}
