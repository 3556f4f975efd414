using System.Globalization;
using System.Net;
using System.Text;

namespace Drella.Drivers.Forges.GitHub.Http;

/// <summary>What one answer says about rate limits.</summary>
/// <param name="IsThrottled">The request was refused for its rate.</param>
/// <param name="NotBefore">When to come again, as the forge said; null when it did not say.</param>
/// <param name="PrimaryResetsAt">Set when the primary limit is used up: when it starts anew.</param>
/// <param name="Resource">The limit that the counters belong to.</param>
internal sealed record RateAnswer(bool IsThrottled, DateTimeOffset? NotBefore, DateTimeOffset? PrimaryResetsAt, string? Resource)
{
    // A forge cannot send us away for longer, whatever it says.
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(6);

    public static async Task<RateAnswer> ReadAsync(HttpResponseMessage response, DateTimeOffset now, CancellationToken cancellationToken)
    {
        // Moments are the forge's; its Date header takes the difference of the clocks out.
        var forgeNow = response.Headers.Date ?? now;
        var reset = Header(response, "x-ratelimit-remaining") == "0" ? Reset(response, now, forgeNow) : null;
        var resource = Header(response, "x-ratelimit-resource");
        if (response.StatusCode is not (HttpStatusCode.Forbidden or HttpStatusCode.TooManyRequests))
        {
            return new RateAnswer(false, null, reset, resource);
        }

        if (RetryAfter(response, now, forgeNow) is { } retryAfter)
        {
            return new RateAnswer(true, retryAfter, reset, resource);
        }

        if (reset is not null)
        {
            return new RateAnswer(true, reset, reset, resource);
        }

        var isSecondary = response.StatusCode == HttpStatusCode.TooManyRequests || response.Headers.Contains("gh-limited-by")
            || SaysSo(await response.Content.ReadAsByteArrayAsync(cancellationToken));
        return new RateAnswer(isSecondary, null, null, resource);
    }

    private static DateTimeOffset? RetryAfter(HttpResponseMessage response, DateTimeOffset now, DateTimeOffset forgeNow)
    {
        if (Header(response, "Retry-After") is not { } text)
        {
            return null;
        }

        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
        {
            return now + Clamp(TimeSpan.FromSeconds(Math.Min(seconds, (long)LongestWait.TotalSeconds)));
        }

        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date)
            ? now + Clamp(date - forgeNow)
            : null;
    }

    private static DateTimeOffset? Reset(HttpResponseMessage response, DateTimeOffset now, DateTimeOffset forgeNow) =>
        long.TryParse(Header(response, "x-ratelimit-reset"), NumberStyles.None, CultureInfo.InvariantCulture, out var epoch)
        && epoch < DateTimeOffset.MaxValue.ToUnixTimeSeconds()
            ? now + Clamp(DateTimeOffset.FromUnixTimeSeconds(epoch) - forgeNow)
            : null;

    private static TimeSpan Clamp(TimeSpan wait) =>
        wait < TimeSpan.FromSeconds(1) ? TimeSpan.FromSeconds(1) : wait > LongestWait ? LongestWait : wait;

    private static bool SaysSo(byte[] body)
    {
        var text = Encoding.UTF8.GetString(body.AsSpan(0, Math.Min(body.Length, 4096)));
        return text.Contains("secondary rate limit", StringComparison.OrdinalIgnoreCase)
            || text.Contains("abuse detection", StringComparison.OrdinalIgnoreCase)
            || text.Contains("API rate limit exceeded", StringComparison.OrdinalIgnoreCase)
            || text.Contains("#about-secondary-rate-limits", StringComparison.OrdinalIgnoreCase);
    }

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;
}
