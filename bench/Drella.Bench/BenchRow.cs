namespace Drella.Bench;

/// <summary>One measured figure beside its target.</summary>
/// <param name="Name">What was measured.</param>
/// <param name="Value">The figure; of a distribution its median.</param>
/// <param name="Unit">Its unit; <c>×</c> for a ratio of two things measured in turn in this run.</param>
/// <param name="Target">The promise; null for a figure that only explains another one.</param>
/// <param name="HigherIsBetter">Whether the target is a floor or a ceiling.</param>
public sealed record BenchRow(string Name, double Value, string Unit, double? Target = null, bool HigherIsBetter = false)
{
    /// <summary>The distribution behind the value; null when it was measured once.</summary>
    public Spread? Spread { get; init; }

    /// <summary>True when the target was reached; null when there is none.</summary>
    public bool? IsMet => Target is { } target ? (HigherIsBetter ? Value >= target : Value <= target) : null;

    /// <summary>The value as a part of its target; null when there is none.</summary>
    public double? OfTarget => Value / Target;

    /// <summary>A row for the median of what was measured many times.</summary>
    public static BenchRow Of(string name, IReadOnlyCollection<double> samples, string unit, double? target = null, bool higherIsBetter = false)
    {
        var spread = Spread.Of(samples);
        return new BenchRow(name, spread.P50, unit, target, higherIsBetter) { Spread = spread };
    }

    public override string ToString()
    {
        var spread = Spread is { } s ? FormattableString.Invariant($"  p50 {s.P50:N2} p95 {s.P95:N2} p99 {s.P99:N2} of {s.Count}") : "";
        var target = Target is { } t
            ? FormattableString.Invariant($"target {(HigherIsBetter ? "≥" : "≤")} {t,9:#,0.##}  {Value / t,5:N2} of it  {(IsMet == true ? "met" : "MISSED")}")
            : "no target";
        return FormattableString.Invariant($"  {Name,-58} {Value,12:N2} {Unit,-9} {target}{spread}");
    }
}
