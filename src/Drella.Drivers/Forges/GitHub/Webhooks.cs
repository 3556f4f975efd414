using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Drella.Core.Forges;

namespace Drella.Drivers.Forges.GitHub;

/// <summary>Proves and reads webhook deliveries. Pure.</summary>
public static class Webhooks
{
    private const string Prefix = "sha256=";

    /// <summary>
    /// The event of a delivery, or null when it is not proven to come from the forge or cannot be read. A header that came twice stands twice
    /// in <paramref name="headers"/>; <paramref name="rawBody"/> is the body byte for byte.
    /// </summary>
    public static ForgeEvent? Verify(IEnumerable<KeyValuePair<string, string>> headers, ReadOnlySpan<byte> rawBody, string secret)
    {
        ArgumentException.ThrowIfNullOrEmpty(secret);
        var known = headers.ToLookup(h => h.Key, h => h.Value, StringComparer.OrdinalIgnoreCase);
        return Single(known, "X-Hub-Signature-256") is { } signature && IsSigned(signature, rawBody, secret)
            && Single(known, "X-GitHub-Delivery") is { Length: > 0 and <= 100 } delivery && Single(known, "X-GitHub-Event") is { } name
            ? Read(delivery, name, rawBody)
            : null;
    }

    internal static bool IsSigned(string signature, ReadOnlySpan<byte> rawBody, string secret)
    {
        Span<byte> given = stackalloc byte[SHA256.HashSizeInBytes];
        return signature.Length == Prefix.Length + (2 * given.Length) && signature.StartsWith(Prefix, StringComparison.Ordinal)
            && System.Convert.FromHexString(signature.AsSpan(Prefix.Length), given, out _, out var written) == System.Buffers.OperationStatus.Done
            && written == given.Length
            && CryptographicOperations.FixedTimeEquals(given, HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), rawBody));
    }

    private static ForgeEvent? Read(string delivery, string name, ReadOnlySpan<byte> rawBody)
    {
        try
        {
            return Read(delivery, name, JsonElement.Parse(rawBody));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // No JSON, or a text with broken escapes.
            return null;
        }
    }

    private static ForgeEvent Read(string delivery, string name, JsonElement root)
    {
        RepoName? repo = Text(Member(root, "repository"), "full_name") is { } text && RepoName.TryParse(text, out var parsed) ? parsed : null;
        var issue = Member(root, "issue");
        var pull = Member(root, "pull_request");
        return name switch
        {
            "ping" => new ForgeEvent(delivery, ForgeEventKind.Ping, repo, null),
            "push" => new ForgeEvent(delivery, ForgeEventKind.Push, repo, null),
            "issues" => new ForgeEvent(delivery, ForgeEventKind.Issue, repo, Number(issue)),
            "issue_comment" => new ForgeEvent(
                delivery, Member(issue, "pull_request") is null ? ForgeEventKind.Issue : ForgeEventKind.PullRequest, repo, Number(issue)),
            "pull_request" or "pull_request_review" or "pull_request_review_comment" or "pull_request_review_thread" =>
                new ForgeEvent(delivery, ForgeEventKind.PullRequest, repo, Number(pull)),
            "check_run" or "check_suite" or "status" or "workflow_run" or "workflow_job" =>
                new ForgeEvent(delivery, ForgeEventKind.Checks, repo, Number(OnlyPull(Member(root, name)))),
            _ => new ForgeEvent(delivery, ForgeEventKind.Other, repo, null),
        };
    }

    private static string? Single(ILookup<string, string> headers, string name) => headers[name].Take(2).ToList() is [var only] ? only : null;

    private static JsonElement? Member(JsonElement? parent, string name) =>
        parent is { ValueKind: JsonValueKind.Object } o && o.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Object ? value : null;

    private static JsonElement? OnlyPull(JsonElement? check) =>
        check is { } c && c.TryGetProperty("pull_requests", out var pulls) && pulls.ValueKind == JsonValueKind.Array && pulls.GetArrayLength() == 1
            ? pulls[0]
            : null;

    private static int? Number(JsonElement? parent) =>
        parent is { ValueKind: JsonValueKind.Object } o && o.TryGetProperty("number", out var value) && value.ValueKind == JsonValueKind.Number
            && value.TryGetInt32(out var number) && number > 0 ? number : null;

    private static string? Text(JsonElement? parent, string name) =>
        parent is { } o && o.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
