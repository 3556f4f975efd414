using System.Net;

namespace Drella.Drivers.Forges.GitHub;

/// <summary>The addresses of one forge. The token goes to the origin of <see cref="Api"/> and <see cref="GraphQl"/> and nowhere else.</summary>
internal sealed class Endpoints
{
    public Endpoints(GitHubOptions options)
    {
        Api = Root(options.ApiUrl, nameof(options.ApiUrl), options.AllowPlainHttp);
        GraphQl = options.GraphQlUrl is { } graphQl ? Root(graphQl, nameof(options.GraphQlUrl), options.AllowPlainHttp) : DeriveGraphQl(Api);
        Web = options.WebUrl is { } web ? Root(web, nameof(options.WebUrl), options.AllowPlainHttp) : DeriveWeb(Api);
    }

    /// <summary>REST root, without a slash at the end of its path.</summary>
    public Uri Api { get; }

    public Uri GraphQl { get; }

    public Uri Web { get; }

    public bool IsGitHubDotCom => Api.Host == "api.github.com";

    public Uri Rest(string pathAndQuery) => new(Api.AbsoluteUri.TrimEnd('/') + pathAndQuery);

    /// <summary>True for addresses that may see the token.</summary>
    public bool IsOurs(Uri address) => SameOrigin(address, Api) || SameOrigin(address, GraphQl);

    public static bool SameOrigin(Uri a, Uri b) =>
        a.IsAbsoluteUri && b.IsAbsoluteUri && a.Scheme == b.Scheme && a.Port == b.Port && a.UserInfo.Length == 0
        && string.Equals(a.IdnHost, b.IdnHost, StringComparison.OrdinalIgnoreCase);

    private static Uri DeriveGraphQl(Uri api)
    {
        var path = api.AbsolutePath.TrimEnd('/');
        return new Uri(api, path.EndsWith("/api/v3", StringComparison.Ordinal) ? path[..^"v3".Length] + "graphql" : path + "/graphql");
    }

    private static Uri DeriveWeb(Uri api)
    {
        if (api.Host.StartsWith("api.", StringComparison.Ordinal))
        {
            return new UriBuilder(api.Scheme, api.Host["api.".Length..], api.IsDefaultPort ? -1 : api.Port).Uri;
        }

        var path = api.AbsolutePath.TrimEnd('/');
        return new Uri(api, path.EndsWith("/api/v3", StringComparison.Ordinal) ? path[..^"api/v3".Length] : path + "/");
    }

    private static Uri Root(string text, string key, bool allowPlainHttp)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.UserInfo.Length > 0
            || uri.Query.Length > 0 || uri.Fragment.Length > 0)
        {
            throw new ArgumentException($"{key} must be an http or https address without user, query or fragment");
        }

        if (uri.Scheme == "http" && !allowPlainHttp && !uri.IsLoopback && !(IPAddress.TryParse(uri.Host, out var ip) && IPAddress.IsLoopback(ip)))
        {
            throw new ArgumentException($"{key} would send the token in clear to {uri.Host}; use https, or set {nameof(GitHubOptions.AllowPlainHttp)}");
        }

        return uri;
    }
}
