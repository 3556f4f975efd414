using Drella.Core.PullRequests;

namespace Drella.Core.Tests.PullRequests;

public sealed class PathRulesTests
{
    [Theory]
    [InlineData("link", "target", false)]
    [InlineData("a/link", "../b", false)]
    [InlineData("a/link", "./x/../y", false)]
    [InlineData("link", "..", true)]
    [InlineData("a/link", "../../x", true)]
    [InlineData("a/link", "x/../../../y", true)]
    [InlineData("link", "/etc/passwd", true)]
    [InlineData("link", "~/x", true)]
    [InlineData("link", ".GIT/config", true)]
    [InlineData("link", "c:\\x", true)]
    [InlineData("link", "a\0b", true)]
    [InlineData("link", "", true)]
    public void LeavesTree_IsTrueForWhatCannotBeFollowedInside(string path, string target, bool leaves) => Assert.Equal(leaves, PathRules.LeavesTree(path, target));

    [Theory]
    [InlineData("src/a.cs", "src/a.cs")]
    [InlineData("a\nb", "a\\u{a}b")]
    [InlineData("a\u001b[31m", "a\\u{1b}[31m")]
    [InlineData("a\u202Eb", "a\\u{202e}b")]
    [InlineData("größe", "größe")]
    public void Printable_ShowsTheInvisibleAsItsNumber(string path, string shown) => Assert.Equal(shown, PathRules.Printable(path));

    [Fact]
    public void Printable_IsBounded() => Assert.InRange(PathRules.Printable(new string('a', 10_000)).Length, 1, 210);
}
