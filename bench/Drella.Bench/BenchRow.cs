namespace Drella.Bench;

/// <summary>One measured figure beside its target.</summary>
public sealed record BenchRow(string Name, double Value, string Unit, double Target, bool HigherIsBetter)
{
    /// <summary>True when the target was reached.</summary>
    public bool IsMet => HigherIsBetter ? Value >= Target : Value <= Target;

    public override string ToString() => FormattableString.Invariant(
        $"{Name,-52} {Value,14:N1} {Unit,-10} target {(HigherIsBetter ? "≥" : "≤")} {Target,12:N1}  {(IsMet ? "ok" : "missed")}");
}
