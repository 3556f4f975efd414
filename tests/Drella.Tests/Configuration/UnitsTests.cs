using Drella.Configuration;

namespace Drella.Tests.Configuration;

public sealed class UnitsTests
{
    [Theory]
    [InlineData("500ms", 500)]
    [InlineData("30s", 30_000)]
    [InlineData("10m", 600_000)]
    [InlineData("2h", 7_200_000)]
    [InlineData("366d", 366 * 86_400_000L)]
    public void Time_ReadsNumberAndUnit(string text, long milliseconds) => Assert.Equal(milliseconds, Units.Time(text)!.Value.TotalMilliseconds);

    [Theory]
    [InlineData("")]
    [InlineData("s")]
    [InlineData("5")]
    [InlineData("0s")]
    [InlineData("-1s")]
    [InlineData("1.5h")]
    [InlineData("1 h")]
    [InlineData("1H")]
    [InlineData("367d")]
    [InlineData("2147483647d")]
    [InlineData("9223372036854775807d")]
    [InlineData("99999999999999999999ms")]
    public void Time_RefusesTheRest(string text) => Assert.Null(Units.Time(text));

    [Theory]
    [InlineData("1", 1)]
    [InlineData("4294967296", 1L << 32)]
    [InlineData("2048MiB", 2L << 30)]
    [InlineData("4GiB", 4L << 30)]
    [InlineData("1024TiB", 1L << 50)]
    public void Size_ReadsNumberAndUnit(string text, long bytes) => Assert.Equal(bytes, Units.Size(text));

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("4GB")]
    [InlineData("4 GiB")]
    [InlineData("-4GiB")]
    [InlineData("1025TiB")]
    [InlineData("9223372036854775807TiB")]
    public void Size_RefusesTheRest(string text) => Assert.Null(Units.Size(text));
}
