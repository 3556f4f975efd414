using System.Text.Json.Nodes;

namespace Drella.Forge;

/// <summary>A request that cannot be granted. The message is meant for the client; the HTTP edge turns it into GitHub's error shape.</summary>
internal sealed class ForgeRefusal(int status, string message, JsonArray? errors = null) : Exception(message)
{
    public int Status => status;

    public JsonArray? Errors => errors;

    public static ForgeRefusal NotFound() => new(404, "Not Found");

    public static ForgeRefusal Forbidden(string message = "Resource not accessible by personal access token") => new(403, message);

    public static ForgeRefusal Unauthorized() => new(401, "Requires authentication");

    public static ForgeRefusal Conflict(string message) => new(409, message);

    /// <summary>422 with one entry in <c>errors</c>; code is GitHub's: missing, missing_field, invalid, already_exists, custom.</summary>
    public static ForgeRefusal Invalid(string resource, string field, string code = "invalid", string? message = null)
    {
        var error = new JsonObject { ["resource"] = resource, ["field"] = field, ["code"] = code };
        if (message is not null)
        {
            error["message"] = message;
        }

        return new ForgeRefusal(422, "Validation Failed", [error]);
    }

    /// <summary>422 whose errors are plain sentences, as review endpoints give them.</summary>
    public static ForgeRefusal Unprocessable(string sentence) => new(422, "Unprocessable Entity", [sentence]);
}
