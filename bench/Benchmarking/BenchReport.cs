using System.Text.Json;
using System.Text.Json.Serialization;

namespace Benchmarking;

/// <summary>All of one run, as it is printed with <c>--json</c> and kept in the results folder. Documented in <c>docs/benchmarks.md</c>.</summary>
public sealed record BenchReport(DateTimeOffset StartedAt, bool Quick, Machine Machine, IReadOnlyList<BenchFigure> Figures)
{
    private static readonly JsonSerializerOptions Shape = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public string ToJson() => JsonSerializer.Serialize(this, Shape);

    /// <summary>One line on how many targets were met, with the names of those that were missed.</summary>
    public string Summary()
    {
        var judged = Figures.Where(figure => figure.Met is not null).ToList();
        var missed = judged.Where(figure => figure.Met == false).Select(figure => $"{figure.Benchmark}: {figure.Name}").ToList();
        var quick = Quick ? "; a quick run shows that the benchmarks work and says nothing about speed" : "";
        return $"{judged.Count - missed.Count} of {judged.Count} targets met{(missed.Count == 0 ? "" : "; MISSED: " + string.Join("; ", missed))}{quick}";
    }
}

/// <summary>One row of the report.</summary>
public sealed record BenchFigure(
    string Benchmark, string Name, double? Value, string Unit, double? Target, string? Better, bool? Met, double? OfTarget, Spread? Spread, int? Failures, string? NotMeasured)
{
    public static BenchFigure Of(Benchmark benchmark, BenchRow row) => new(
        benchmark.Name, row.Name, row.Value, row.Unit, row.Target, row.Target is null ? null : row.HigherIsBetter ? "higher" : "lower", row.IsMet, row.OfTarget, row.Spread,
        row.Failures == 0 ? null : row.Failures, row.NotMeasured);
}
