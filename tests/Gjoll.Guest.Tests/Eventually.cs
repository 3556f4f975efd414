using System.Diagnostics;

namespace Gjoll.Guest.Tests;

internal static class Eventually
{
    public static async Task TrueAsync(Func<bool> isSo, string what)
    {
        var clock = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!isSo())
        {
            Assert.True(clock.Elapsed < HostEnd.Patience, $"waited in vain until {what}");
            await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
    }
}
