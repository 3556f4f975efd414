using Drella.Core.Forges;

namespace Drella.Drivers.Forges.GitHub.Http;

/// <summary>What handlers need to know of a request beyond HTTP.</summary>
internal static class Requests
{
    /// <summary>The repository whose rights the request uses.</summary>
    public static readonly HttpRequestOptionsKey<RepoName?> Repo = new("repo");

    /// <summary>Largest answer, where it differs from the general one.</summary>
    public static readonly HttpRequestOptionsKey<int> MaxBytes = new("max-bytes");

    /// <summary>A POST that changes nothing.</summary>
    public static readonly HttpRequestOptionsKey<bool> IsQuery = new("is-query");

    /// <summary>Signs in as the app itself instead of an installation.</summary>
    public static readonly HttpRequestOptionsKey<bool> AsApp = new("as-app");

    public static T? Get<T>(this HttpRequestMessage request, HttpRequestOptionsKey<T> key) =>
        request.Options.TryGetValue(key, out var value) ? value : default;

    public static bool IsWrite(this HttpRequestMessage request) =>
        request.Method != HttpMethod.Get && request.Method != HttpMethod.Head && !request.Get(IsQuery);

    /// <summary>Method and path for messages: never the query, which may hold what a person wrote.</summary>
    public static string Describe(this HttpRequestMessage request) =>
        $"{request.Method} {Plain.Line(request.RequestUri?.GetLeftPart(UriPartial.Path), 300)}";

    /// <summary>A second message for another try; the content is a byte array and is shared.</summary>
    public static HttpRequestMessage Copy(this HttpRequestMessage request, Uri? address = null)
    {
        var copy = new HttpRequestMessage(request.Method, address ?? request.RequestUri) { Content = request.Content };
        foreach (var header in request.Headers)
        {
            copy.Headers.TryAddWithoutValidation(header.Key, header.Value);
        }

        foreach (var option in request.Options)
        {
            ((IDictionary<string, object?>)copy.Options)[option.Key] = option.Value;
        }

        return copy;
    }
}
