using System.Diagnostics;

namespace Drella.EndToEnd.Tests;

/// <summary>Asks again and again what no event tells, up to a bound.</summary>
internal static class Polling
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(120);

    public static async Task<T> UntilAsync<T>(Func<Task<T?>> look, Func<string> story, CancellationToken cancellationToken)
        where T : class
    {
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < Bound)
        {
            if (await look() is { } found)
            {
                return found;
            }

            await Task.Delay(50, cancellationToken);
        }

        throw new TimeoutException($"was not seen within {Bound}: {story()}");
    }
}
