using System.Net;
using System.Text.Json;
using Drella.Core;
using Drella.Core.Forges;
using Drella.Drivers.Forges.GitHub.Wire;

namespace Drella.Drivers.Forges.GitHub.Http;

/// <summary>Reads answers: JSON into wire types, refusals into <see cref="DriverException"/>.</summary>
internal static class Answers
{
    private static readonly string[] DetailFields = ["resource", "field", "code", "message"];

    public static async Task<T> ReadAsync<T>(HttpRequestMessage request, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
        try
        {
            return JsonSerializer.Deserialize(body, WireJson.Of<T>()) ?? throw new JsonException("null where an object should be");
        }
        catch (JsonException e)
        {
            throw new DriverException(isTransient: true, $"{request.Describe()}: the answer cannot be read: {Plain.Line(e.Message, 200)}", e);
        }
    }

    public static async Task EnsureSuccessAsync(
        HttpRequestMessage request, HttpResponseMessage response, Credentials credentials, CancellationToken cancellationToken)
    {
        if (response.StatusCode is HttpStatusCode.OK or HttpStatusCode.Created or HttpStatusCode.Accepted or HttpStatusCode.NoContent)
        {
            return;
        }

        var (message, alreadyExists) = Explain(await response.Content.ReadAsByteArrayAsync(cancellationToken), credentials);
        var permissions = response.StatusCode is HttpStatusCode.Forbidden or HttpStatusCode.NotFound
            && response.Headers.TryGetValues("X-Accepted-GitHub-Permissions", out var accepted)
            ? $" (needs {Plain.Line(string.Join("; ", accepted), 200)})"
            : "";
        var status = (int)response.StatusCode;
        var (failure, isTransient) = Kind(status, alreadyExists);
        throw new DriverException(isTransient, $"{request.Describe()}: {status} {message}{permissions}") { Failure = failure };
    }

    private static (DriverFailure Failure, bool IsTransient) Kind(int status, bool alreadyExists) => status switch
    {
        401 or 403 => (DriverFailure.Forbidden, false),
        404 or 410 or 451 => (DriverFailure.NotFoundOrNoAccess, false),
        405 or 409 => (DriverFailure.Conflict, false),
        422 when alreadyExists => (DriverFailure.Conflict, false),
        400 or 413 or 414 or 415 or 422 => (DriverFailure.Invalid, false),
        429 => (DriverFailure.Throttled, true),
        408 or 425 or >= 500 => (DriverFailure.Unavailable, true),
        _ => (DriverFailure.Unavailable, false),
    };

    /// <summary>{"message": "Validation Failed", "errors": [{"resource": "PullRequest", "field": "head", "code": "invalid", "message": "…"}]}</summary>
    private static (string Message, bool AlreadyExists) Explain(byte[] body, Credentials credentials)
    {
        var text = "without an explanation";
        try
        {
            if (body.Length <= 64 << 10 && JsonSerializer.Deserialize(body, WireJson.Default.WireError) is { } error)
            {
                IEnumerable<string> details = error.Errors is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray().Take(10).Select(Detail) : [];
                text = string.Join("; ", details.Prepend(error.Message ?? text));
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // A page of a proxy, or text with broken escapes: the status says enough.
        }

        var message = Plain.Line(credentials.Redact(text), 800);
        return (message, message.Contains("already exists", StringComparison.OrdinalIgnoreCase)
            || message.Contains("already_exists", StringComparison.Ordinal));
    }

    private static string Detail(JsonElement entry)
    {
        if (entry.ValueKind != JsonValueKind.Object)
        {
            return entry.ToString();
        }

        var parts = DetailFields.Select(name => entry.TryGetProperty(name, out var value) ? value.ToString() : "")
            .Where(v => v.Length > 0);
        return string.Join(' ', parts);
    }
}
