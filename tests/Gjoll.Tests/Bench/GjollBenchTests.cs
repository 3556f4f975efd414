using System.Text.Json;
using Benchmarking;
using Gjoll.Bench;
using Gjoll.Tests.Images;

namespace Gjoll.Tests.Bench;

/// <summary>That the benchmarks of sandboxes run and report. Nothing here looks at how fast anything was.</summary>
public sealed class GjollBenchTests(MinimalImage image) : IClassFixture<MinimalImage>
{
    [Fact]
    public async Task QuickRun_MeasuresEverySandboxWithoutAFailure()
    {
        Assert.Equal(MinimalImage.Variant, image.Image.Manifest.Variant);
        using var output = new StringWriter();
        using var talk = new StringWriter();

        var code = await BenchRunner.RunAsync(Suite.Sandboxes, ["--quick", "--json"], output, TextWriter.Synchronized(talk), TestContext.Current.CancellationToken);

        Assert.Equal(0, code);
        using var report = JsonDocument.Parse(output.ToString());
        var figures = report.RootElement.GetProperty("figures").EnumerateArray().ToList();
        Assert.Equal(["bubblewrap", "qemu", "exec", "memory"], figures.Select(figure => figure.GetProperty("benchmark").GetString()).Distinct());
        Assert.All(figures, figure =>
        {
            Assert.False(figure.TryGetProperty("failures", out _), $"{figure}\n{talk}");
            if (figure.TryGetProperty("value", out var value))
            {
                Assert.True(value.GetDouble() > 0, figure.ToString());
            }
            else
            {
                // Podman, SSH and KVM may be missing; that must be said, and nothing else may be.
                Assert.Matches("podman|KVM|ssh", figure.GetProperty("name").GetString());
                Assert.NotEmpty(figure.GetProperty("notMeasured").GetString()!);
            }
        });
    }

    [Fact]
    public void Row_WithAFailedRunIsMissed()
    {
        Assert.False(BenchRow.Of("start", [1, 1, 1], "×", 2, failures: 1).IsMet);
        Assert.Contains("1 FAILED", BenchRow.Of("start", [1, 1, 1], "×", 2, failures: 1).ToString(), StringComparison.Ordinal);
        Assert.False(BenchRow.Of("start", [], "×", 2, failures: 3).IsMet);
        Assert.Null(BenchRow.Without("start", "×", "nothing to compare with", 2).IsMet);
    }
}
