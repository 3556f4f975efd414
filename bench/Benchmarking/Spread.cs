namespace Benchmarking;

/// <summary>Where the samples lie. Percentiles are samples that were seen (nearest rank), never something in between.</summary>
public sealed record Spread(int Count, double P50, double P95, double P99)
{
    public static Spread Of(IReadOnlyCollection<double> samples)
    {
        ArgumentOutOfRangeException.ThrowIfZero(samples.Count);
        var sorted = samples.Order().ToArray();
        return new Spread(sorted.Length, At(sorted, 0.50), At(sorted, 0.95), At(sorted, 0.99));
    }

    private static double At(double[] sorted, double part) => sorted[Math.Max(0, (int)Math.Ceiling(part * sorted.Length) - 1)];
}
