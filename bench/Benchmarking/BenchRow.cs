namespace Benchmarking;

/// <summary>One measured figure beside its target.</summary>
/// <param name="Name">What was measured.</param>
/// <param name="Value">The figure; of a distribution its median; null when it could not be measured.</param>
/// <param name="Unit">Its unit; <c>×</c> for a ratio of two things measured in turn in this run.</param>
/// <param name="Target">The promise; null for a figure that only explains another one.</param>
/// <param name="HigherIsBetter">Whether the target is a floor or a ceiling.</param>
public sealed record BenchRow(string Name, double? Value, string Unit, double? Target = null, bool HigherIsBetter = false)
{
    /// <summary>The distribution behind the value; null when it was measured once.</summary>
    public Spread? Spread { get; init; }

    /// <summary>Runs that broke. They are in no median, so one is enough for the target to be missed.</summary>
    public int Failures { get; init; }

    /// <summary>Why there is no value; null when there is one.</summary>
    public string? NotMeasured { get; init; }

    /// <summary>True when the target was reached; null when there is none, or nothing to hold against it.</summary>
    public bool? IsMet => Target is not { } target || (Value is null && Failures == 0) ? null
        : Failures == 0 && (HigherIsBetter ? Value >= target : Value <= target);

    /// <summary>The value as a part of its target; null when there is none.</summary>
    public double? OfTarget => Value / Target;

    /// <summary>A row for the median of what was measured many times.</summary>
    public static BenchRow Of(string name, IReadOnlyCollection<double> samples, string unit, double? target = null, bool higherIsBetter = false, int failures = 0)
    {
        if (samples.Count == 0)
        {
            return new BenchRow(name, null, unit, target, higherIsBetter) { Failures = failures, NotMeasured = "every run failed" };
        }

        var spread = Spread.Of(samples);
        return new BenchRow(name, spread.P50, unit, target, higherIsBetter) { Spread = spread, Failures = failures };
    }

    /// <summary>A row for what this machine cannot do, and why.</summary>
    public static BenchRow Without(string name, string unit, string reason, double? target = null) => new(name, null, unit, target) { NotMeasured = reason };

    public override string ToString()
    {
        var spread = Spread is { } s ? FormattableString.Invariant($"  p50 {s.P50:N2} p95 {s.P95:N2} p99 {s.P99:N2} of {s.Count}") : "";
        var failed = Failures > 0 ? FormattableString.Invariant($"  {Failures} FAILED") : "";
        var target = Target is { } t ? FormattableString.Invariant($"target {(HigherIsBetter ? "≥" : "≤")} {t,9:#,0.##}") : "no target";
        var verdict = IsMet is { } met ? FormattableString.Invariant($"  {OfTarget,5:N2} of it  {(met ? "met" : "MISSED")}") : "";
        return Value is { } value
            ? FormattableString.Invariant($"  {Name,-58} {value,12:N2} {Unit,-9} {target}{verdict}{spread}{failed}")
            : FormattableString.Invariant($"  {Name,-58} {"not measured",12} {Unit,-9} {target}{verdict}{failed}  {NotMeasured}");
    }
}
