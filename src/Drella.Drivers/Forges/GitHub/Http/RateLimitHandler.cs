using Drella.Core;
using Microsoft.Extensions.Logging;

namespace Drella.Drivers.Forges.GitHub.Http;

/// <summary>
/// Keeps off while the forge says so. Limits that end soon are waited for; others become <see cref="DriverFailure.Throttled"/> with the moment
/// at which they end, and further requests fail at once until then.
/// </summary>
internal sealed partial class RateLimitHandler(TimeSpan maxWait, TimeProvider time, ILogger logger) : DelegatingHandler
{
    private const int MaxTries = 3;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, DateTimeOffset> _closedUntil = new(StringComparer.Ordinal);
    private int _secondaryHits;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var resource = request.RequestUri!.AbsolutePath.EndsWith("/graphql", StringComparison.Ordinal) ? "graphql" : "core";
        for (var attempt = 1; ; attempt++)
        {
            await WaitAsync(request, resource, attempt, cancellationToken);
            var response = await base.SendAsync(request, cancellationToken);
            var answer = await RateAnswer.ReadAsync(response, time.GetUtcNow(), cancellationToken);
            if (!answer.IsThrottled)
            {
                Interlocked.Exchange(ref _secondaryHits, 0);
                if (answer.PrimaryResetsAt is { } reset && (answer.Resource ?? resource) == resource)
                {
                    Close(resource, reset);
                }

                return response;
            }

            using (response)
            {
                var until = answer.NotBefore ?? time.GetUtcNow() + Backoff(Interlocked.Increment(ref _secondaryHits));
                LogThrottled(request.Describe(), (int)response.StatusCode, until);
                Close(resource, until);
            }
        }
    }

    private async Task WaitAsync(HttpRequestMessage request, string resource, int attempt, CancellationToken cancellationToken)
    {
        DateTimeOffset until;
        lock (_gate)
        {
            until = _closedUntil.GetValueOrDefault(resource);
        }

        var wait = until - time.GetUtcNow();
        if (wait <= TimeSpan.Zero)
        {
            return;
        }

        if (wait > maxWait || attempt > MaxTries)
        {
            throw new DriverException(isTransient: true, $"{request.Describe()}: rate limited until {until:u}")
            {
                Failure = DriverFailure.Throttled,
                NotBefore = until,
            };
        }

        await Task.Delay(wait, time, cancellationToken);
    }

    private void Close(string resource, DateTimeOffset until)
    {
        lock (_gate)
        {
            // The latest word counts: a reset can also move closer.
            _closedUntil[resource] = until;
        }
    }

    private static TimeSpan Backoff(int hits) => TimeSpan.FromSeconds(Math.Min(60 * Math.Pow(2, Math.Min(hits, 10) - 1), 900));

    [LoggerMessage(LogLevel.Warning, "{Request} answered {Status}: rate limited until {Until}")]
    private partial void LogThrottled(string request, int status, DateTimeOffset until);
}
