using Terminal.Common;

namespace Drella.Tests.Terminal;

public sealed class ProgressBarTests
{
    private readonly StringWriter talk = new() { NewLine = "\n" };

    [Fact]
    public void Report_WritesALineForEveryTenthWhereNobodyWatches()
    {
        using (var bar = new ProgressBar(talk, "backup", isTerminal: false))
        {
            for (var i = 0; i <= 1000; i++)
            {
                bar.Report(i / 1000.0);
            }
        }

        Assert.Equal(Enumerable.Range(0, 11).Select(i => $"backup: {i * 10,3} %"), talk.ToString().Trim().ReplaceLineEndings("\n").Split('\n'));
    }

    [Fact]
    public void Report_RedrawsOneLineOnATerminalAndEndsIt()
    {
        using (var bar = new ProgressBar(talk, "verify", isTerminal: true))
        {
            bar.Report(0.5);
            bar.Report(1);
        }

        Assert.Equal($"\rverify [{new string('#', 15)}{new string('.', 15)}]  50 %\rverify [{new string('#', 30)}] 100 %\n", talk.ToString());
    }

    [Theory]
    [InlineData(double.NaN, "  0")]
    [InlineData(-1, "  0")]
    [InlineData(7, "100")]
    public void Report_StaysBetweenNothingAndAll(double value, string shown)
    {
        using var bar = new ProgressBar(talk, "x", isTerminal: false);

        bar.Report(value);
        bar.Report(value - 1);

        Assert.Equal($"x: {shown} %", talk.ToString().Trim());
    }
}
