using System.Text.Json;
using Benchmarking;
using Drella.Bench;

namespace Drella.Tests.Bench;

/// <summary>That the benchmarks run and report. Nothing here looks at how fast anything was.</summary>
public sealed class BenchRunnerTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task QuickRun_MeasuresWhatWasNamedAndKeepsTheReport()
    {
        var results = Directory.CreateTempSubdirectory("drella-bench-");
        try
        {
            using var output = new StringWriter();
            using var talk = new StringWriter();

            var code = await BenchRunner.RunAsync(Suite.Factory, ["replay", "appends", "gateway", "transcript", "--quick", "--json", "--results", results.FullName], output, talk, Token);

            Assert.Equal(0, code);
            using var report = JsonDocument.Parse(output.ToString());
            Assert.True(report.RootElement.GetProperty("quick").GetBoolean());
            Assert.True(report.RootElement.GetProperty("machine").GetProperty("cores").GetInt32() > 0);
            var figures = report.RootElement.GetProperty("figures").EnumerateArray().ToList();
            Assert.Equal(["appends", "replay", "transcript", "gateway"], figures.Select(figure => figure.GetProperty("benchmark").GetString()).Distinct());
            Assert.All(figures, CheckFigure);
            Assert.Contains("targets met", talk.ToString(), StringComparison.Ordinal);
            var kept = Assert.Single(results.GetFiles("*.json"));
            Assert.Equal(output.ToString().Trim(), (await File.ReadAllTextAsync(kept.FullName, Token)).Trim());
        }
        finally
        {
            results.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task UnknownName_IsRefusedWithTheNamesThereAre()
    {
        using var output = new StringWriter();
        using var talk = new StringWriter();

        var code = await BenchRunner.RunAsync(Suite.Factory, ["repaly"], output, talk, Token);

        Assert.Equal(2, code);
        Assert.Empty(output.ToString());
        Assert.Contains("'repaly'", talk.ToString(), StringComparison.Ordinal);
        Assert.All(["appends", "replay", "transcript", "gateway", "restart", "first-request", "job"], name => Assert.Contains(name, talk.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public void Row_SaysInItsOwnTextThatTheTargetWasMissed()
    {
        Assert.Contains("MISSED", new BenchRow("slow", 2.5, "s", 1.5).ToString(), StringComparison.Ordinal);
        Assert.Contains("met", new BenchRow("quick", 1.5, "s", 1.5).ToString(), StringComparison.Ordinal);
        Assert.Contains("MISSED", new BenchRow("few", 4999, "entries/s", 5000, HigherIsBetter: true).ToString(), StringComparison.Ordinal);
        Assert.Null(new BenchRow("told", 1, "s").IsMet);
    }

    [Fact]
    public void Spread_GivesSamplesThatWereSeen()
    {
        Assert.Equal(new Spread(100, 50, 95, 99), Spread.Of([.. Enumerable.Range(1, 100).Reverse().Select(number => (double)number)]));
        Assert.Equal(new Spread(1, 7, 7, 7), Spread.Of([7]));
    }

    private static void CheckFigure(JsonElement figure)
    {
        var value = figure.GetProperty("value").GetDouble();
        Assert.True(double.IsFinite(value));
        Assert.NotEmpty(figure.GetProperty("name").GetString()!);
        Assert.NotEmpty(figure.GetProperty("unit").GetString()!);
        if (figure.TryGetProperty("target", out var target))
        {
            var isHigher = figure.GetProperty("better").GetString() == "higher";
            Assert.Equal(isHigher ? value >= target.GetDouble() : value <= target.GetDouble(), figure.GetProperty("met").GetBoolean());
        }

        if (figure.TryGetProperty("spread", out var spread))
        {
            Assert.True(spread.GetProperty("count").GetInt32() > 0);
            Assert.Equal(value, spread.GetProperty("p50").GetDouble());
            Assert.True(spread.GetProperty("p50").GetDouble() <= spread.GetProperty("p95").GetDouble());
            Assert.True(spread.GetProperty("p95").GetDouble() <= spread.GetProperty("p99").GetDouble());
        }
    }
}
