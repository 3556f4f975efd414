using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Drella.Gateway.Models;

/// <summary>A no in the words of the Anthropic API.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Type">Anthropic's error type.</param>
/// <param name="Message">Short, for the agent; no host details.</param>
internal sealed record ModelRefusal(int Status, string Type, string Message)
{
    public static ModelRefusal NotFound { get; } = new(404, "not_found_error", "Only POST /v1/messages and /v1/messages/count_tokens exist here.");

    public static ModelRefusal Unknown { get; } = new(401, "authentication_error", "This token is not valid here, or not any more.");

    public static ModelRefusal Stale { get; } = new(401, "authentication_error", "This assignment is over.");

    public static ModelRefusal Malformed { get; } = new(400, "invalid_request_error", "The body must be one JSON object without duplicate keys.");

    public static ModelRefusal TooLarge { get; } = new(413, "request_too_large", "The request is too large.");

    public static ModelRefusal TooMany { get; } = new(429, "rate_limit_error", "Too many calls at a time from this sandbox.");

    public static ModelRefusal Unreachable { get; } = new(502, "api_error", "The model provider could not be reached.");

    public static ModelRefusal Credential { get; } = new(403, "permission_error", "The model provider refused the factory's credential.");

    public static ModelRefusal Exhausted { get; } =
        new(403, "billing_error", "The budget of this job is used up. Stop here; the job is paused until a person raises it.");

    /// <summary>The request would make the provider reach out by itself.</summary>
    /// <param name="member">What in it would; one of our own words.</param>
    public static ModelRefusal Hosted(string member) =>
        new(400, "invalid_request_error", $"Closed here: {member}. The provider may not fetch or run anything by itself; use what is in the workspace.");

    public byte[] Json() => JsonSerializer.SerializeToUtf8Bytes(new { type = "error", error = new { type = Type, message = Message } });

    public async Task WriteAsync(HttpResponse response, CancellationToken cancellationToken)
    {
        response.StatusCode = Status;
        response.ContentType = "application/json";
        if (Status is 401 or 403)
        {
            response.Headers["x-should-retry"] = "false";
        }

        var body = Json();
        response.ContentLength = body.Length;
        await response.Body.WriteAsync(body, cancellationToken);
    }
}
