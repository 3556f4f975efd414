using Drella.Core.Specs;

namespace Drella.Core.Tests.Specs;

public sealed class SectionsTests
{
    [Fact]
    public void Items_AreThoseUnderTheHeadingAndItsOwnSubheadings()
    {
        var items = Read("""
            - not this
            # Open Questions:
            Some words.
            - [ ] first
            * second
            ### Detail
            1. third
            12) fourth
              - nested
            # Other
            - not that
            """);

        Assert.Equal(["first", "second", "third", "fourth"], items.Select(item => item.Text));
        Assert.Equal([14, 15, 17, 18], items.Select(item => item.Line));
    }

    [Theory]
    [InlineData("- None.")]
    [InlineData("- none")]
    [InlineData("None.")]
    [InlineData("")]
    public void Items_AreNoneWhenItSaysSo(string text) => Assert.Empty(Read("## Open questions\n\n" + text));

    [Fact]
    public void Items_TellTheTickedFromTheOpen()
    {
        var items = Read("## Open questions\n- [x] a\n- [X] b\n- [ ] c\n- d");

        Assert.Equal([true, true, false, false], items.Select(item => item.IsTicked));
    }

    [Theory]
    [InlineData("```\n## Open questions\n- code\n```")]
    [InlineData("```\n~~~\n## Open questions\n- code\n```")]
    [InlineData("~~~~\n~~~\n## Open questions\n- code\n~~~~")]
    [InlineData("  ```sh\n## Open questions\n- code\n  ```")]
    [InlineData("```\n``` x\n## Open questions\n- code\n")]
    public void Items_AreNotReadFromCode(string text) => Assert.Empty(Read(text));

    [Theory]
    [InlineData("```\n~~~\n```\n## Open questions\n- real")]
    [InlineData("~~~\n```\n~~~\n## Open questions\n- real")]
    [InlineData("```` `inline` ````\n## Open questions\n- real")]
    [InlineData("````\n```\n````\n## Open questions\n- real")]
    public void Items_AreReadBehindCodeThatHoldsTheOtherFence(string text) => Assert.Equal("real", Assert.Single(Read(text)).Text);

    private static IReadOnlyList<Sections.Item> Read(string body) => Sections.Items(body, 11, "open questions");
}
