namespace Drella.Testing.OpenApi;

/// <summary>What the description does not say and GitHub does all the same. Each line has its reason.</summary>
internal static class Deviations
{
    /// <summary>Operations that the subset document lacks.</summary>
    public const string MissingOperations = """
    {
      "/": { "get": { "responses": { "200": { "content": { "application/json": { "schema":
        { "type": "object", "required": ["current_user_url", "repository_url"] } } } } } } },
      "/users/{username}": { "get": { "responses": { "200": { "content": { "application/json": { "schema":
        { "$ref": "#/components/schemas/public-user" } } } } } } },
      "/repos/{owner}/{repo}/contents": { "get": { "responses": { "200": { "content": { "application/json": { "schema":
        { "$ref": "#/components/schemas/content-directory" } } } } } } }
    }
    """;

    /// <summary>Statuses that any operation may give, with a body in the shape of <c>basic-error</c>.</summary>
    public static bool IsCommonError(string method, int status) => status switch
    {
        // Malformed JSON; the description lists it for a handful of operations only.
        400 => method is not "GET",
        // Bad credentials, missing permission, and "absent or no access".
        401 or 403 or 404 => true,
        // A body over the size limit and a body that is no JSON.
        413 or 415 => method is not "GET",
        // Rate limits.
        429 => true,
        // Validation, where the description forgot it (statuses, check runs, label updates).
        422 => method is not "GET",
        _ => false,
    };

    /// <summary>A conditional read may always answer 304, and carries no body.</summary>
    public static bool IsNotModified(string method, int status) => method is "GET" && status == 304;

    /// <summary>Media types that replace the JSON body by text: diff, patch, sha, and raw.</summary>
    public static bool IsTextMediaType(string? contentType) =>
        contentType is not null
        && contentType.StartsWith("application/vnd.github", StringComparison.Ordinal)
        && !contentType.Contains("json", StringComparison.Ordinal);

    /// <summary>Query names that work on every list and that the description names for most of them only.</summary>
    public static bool IsCommonQuery(string name) => name is "page" or "per_page";
}
