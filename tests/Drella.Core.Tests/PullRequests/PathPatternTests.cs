using Drella.Core.PullRequests;

namespace Drella.Core.Tests.PullRequests;

public sealed class PathPatternTests
{
    [Theory]
    [InlineData("a/b", "a/b", true)]
    [InlineData("a/b", "a/b/c", false)]
    [InlineData("a/b", "A/B", true)]
    [InlineData("a/**", "a", true)]
    [InlineData("a/**", "a/b/c", true)]
    [InlineData("a/**", "ab", false)]
    [InlineData("**/x", "x", true)]
    [InlineData("**/x", "a/b/x", true)]
    [InlineData("**/x", "a/x/b", false)]
    [InlineData("**/x/**", "a/x/b", true)]
    [InlineData("*.md", "readme.MD", true)]
    [InlineData("*.md", "a/readme.md", false)]
    [InlineData("a*b*c", "aXbYc", true)]
    [InlineData("a*b*c", "ac", false)]
    [InlineData("ab*ba", "aba", false)]
    [InlineData("*a*a*a*", "aa", false)]
    [InlineData("*", "", true)]
    [InlineData("a", "a.", true)]
    [InlineData("a", "a\u200c", true)]
    [InlineData("a", "a::$DATA", true)]
    public void IsMatch_HoldsNamesAndDepth(string pattern, string path, bool matches) => Assert.Equal(matches, PathPattern.IsMatch(pattern, path));

    [Fact]
    public void IsMatch_AgreesWithACarefulReadingOfStars()
    {
        for (var seed = 0; seed < 20_000; seed++)
        {
            var random = new Random(seed);
            var pattern = string.Concat(Enumerable.Range(0, random.Next(1, 7)).Select(_ => "ab*"[random.Next(3)])).Replace("**", "*", StringComparison.Ordinal);
            var name = string.Concat(Enumerable.Range(0, random.Next(1, 8)).Select(_ => "ab"[random.Next(2)]));
            var careful = System.Text.RegularExpressions.Regex.IsMatch(name, "^" + pattern.Replace("*", ".*", StringComparison.Ordinal) + "$");

            // "**" alone is a name of its own kind.
            Assert.True(pattern == "**" || PathPattern.IsMatch(pattern, name) == careful, $"seed {seed}: {pattern} on {name}");
        }
    }
}
