
namespace Gjoll.Egress.Tests;

public sealed class AllowListTests
{
    [Theory]
    [InlineData("ok.test", true)]
    [InlineData("OK.TEST.", true)]
    [InlineData("ok.test.evil", false)]
    [InlineData("evilok.test", false)]
    [InlineData("a.ok.test", false)]
    [InlineData("a.sub.test", true)]
    [InlineData("a.b.sub.test", true)]
    [InlineData("sub.test", false)]
    [InlineData("evilsub.test", false)]
    [InlineData("sub.test.evil", false)]
    [InlineData("deep.sub.test", true)]
    [InlineData("test", false)]
    [InlineData("xn--k-0tb.test", false)]
    public void Match_IsExactOrASubdomain(string host, bool isAllowed)
    {
        var list = AllowList.Parse(["ok.test", "*.sub.test"]);
        Assert.True(HostName.TryParse(host, out var name, out _));

        Assert.Equal(isAllowed, list.Match(name) is not null);
    }

    [Fact]
    public void EmptyList_DeniesAll()
    {
        Assert.True(HostName.TryParse("ok.test", out var name, out _));

        Assert.Null(AllowList.Parse([]).Match(name));
    }

    [Theory]
    [InlineData("")]
    [InlineData("*")]
    [InlineData("*.")]
    [InlineData("*.test")]
    [InlineData("**.ok.test")]
    [InlineData("*ok.test")]
    [InlineData("a.*.test")]
    [InlineData("ok.test ")]
    [InlineData(" ok.test")]
    [InlineData("ok.test.")]
    [InlineData("https://ok.test")]
    [InlineData("ok.test:443")]
    [InlineData("ok.test/path")]
    [InlineData("10.0.0.1")]
    [InlineData("*.0.0.1")]
    [InlineData("[::1]")]
    [InlineData("bücher.test")]
    public void BadPattern_MakesTheListInvalid(string pattern)
    {
        Assert.Single(AllowList.Problems(["ok.test", pattern]));
        Assert.Throws<FormatException>(() => AllowList.Parse(["ok.test", pattern]));
    }

    [Fact]
    public void Problems_AreReportedAllAtOnce()
    {
        var problem = Assert.Throws<FormatException>(() => AllowList.Parse(["*", "10.0.0.1", "ok.test"]));

        Assert.Contains("'*'", problem.Message, StringComparison.Ordinal);
        Assert.Contains("'10.0.0.1'", problem.Message, StringComparison.Ordinal);
    }
}
