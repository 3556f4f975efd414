using Gjoll.Egress.Proxies;

namespace Gjoll.Egress.Tests.Proxies;

public sealed class PathPatternTests
{
    [Theory]
    [InlineData("/v1/messages", "/v1/messages", true)]
    [InlineData("/v1/messages", "/v1/messages/", false)]
    [InlineData("/v1/messages", "/v1/Messages", false)]
    [InlineData("/v1/*", "/v1/a", true)]
    [InlineData("/v1/*", "/v1/", false)]
    [InlineData("/v1/*", "/v1/a/b", false)]
    [InlineData("/v1/**", "/v1/a/b", true)]
    [InlineData("/v1/**", "/v1/", true)]
    [InlineData("/v1/**", "/v1", false)]
    [InlineData("/v1/**", "/v10/a", false)]
    [InlineData("/**", "/", true)]
    [InlineData("/models/claude-*:raw*", "/models/claude-x:rawPredict", true)]
    [InlineData("/models/claude-*:raw*", "/models/claude-x:raw", true)]
    [InlineData("/models/claude-*:raw*", "/models/claude:raw", false)]
    [InlineData("/*/b", "/a/b", true)]
    public void Path_IsLikeThePattern(string pattern, string path, bool expected) =>
        Assert.Equal(expected, PathPattern.Parse(pattern, out _)!.Matches(path));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("v1")]
    [InlineData("/v1/**/x")]
    [InlineData("/v1/a**")]
    [InlineData("/v1?x")]
    [InlineData("/../x")]
    [InlineData("/v1//x")]
    [InlineData("/%2e%2e/x")]
    [InlineData("/v 1")]
    public void Pattern_ThatMeansNoPlainPathIsAFault(string? pattern)
    {
        Assert.Null(PathPattern.Parse(pattern, out var problem));
        Assert.NotNull(problem);
    }

    [Fact]
    public void Stars_AreNotSlow()
    {
        var pattern = PathPattern.Parse("/" + string.Concat(Enumerable.Repeat("a*", 500)) + "b", out _)!;

        Assert.False(pattern.Matches("/" + new string('a', 8000)));
    }
}
