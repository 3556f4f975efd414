using System.Text;
using Drella.Core.Roles;

namespace Drella.Core.Tests.Roles;

public sealed class RoleParserTests
{
    [Fact]
    public void Parse_ReadsEveryKey()
    {
        var role = Parse("---\nversion: 1\nname: careful-one\nagent: open-code\nmodel: vendor/model-1.5:latest\neffort: high\ntools: [submit_verdict, get_pr]\nmay_edit: true\ntimeout_minutes: 45\n---\n\nLook well.\n").Role!;

        Assert.Equal("careful-one", role.Name);
        Assert.Equal("open-code", role.Agent);
        Assert.Equal("vendor/model-1.5:latest", role.Model);
        Assert.Equal("high", role.Effort);
        Assert.Equal(["submit_verdict", "get_pr"], role.Tools);
        Assert.True(role.MayEdit);
        Assert.Equal(TimeSpan.FromMinutes(45), role.Timeout);
        Assert.Equal("Look well.", role.Prompt);
    }

    [Fact]
    public void Parse_GivesARoleNothingThatItsFileDoesNotSay()
    {
        var role = Parse("Look well.", "security.md").Role!;

        Assert.Equal("security", role.Name);
        Assert.Empty(role.Tools);
        Assert.False(role.MayEdit);
        Assert.Null(role.Timeout);
        Assert.Null(role.Effort);
    }

    [Theory]
    [InlineData("version: 2", "line 2: version 2 of the header is not known here; write version: 1")]
    [InlineData("tool: [get_pr]", "line 2: 'tool' is not a key of this header; did you mean 'tools'?")]
    [InlineData("tools: [Bash(rm)]", "line 2: 'Bash(rm)' is not of the form: names of tools, such as 'open_pr'")]
    [InlineData("tools: [merge_pr]", "line 2: 'merge_pr' is not a tool of the factory")]
    [InlineData("effort: enormous", "line 2: 'enormous' is not an effort; write one of low, medium, high, xhigh, max")]
    [InlineData("may_edit: yes", "line 2: 'yes' is neither true nor false")]
    [InlineData("timeout_minutes: 1h", "line 2: '1h' is not a number from 1 to 1440")]
    [InlineData("timeout_minutes: 1441", "line 2: '1441' is not a number from 1 to 1440")]
    [InlineData("name: Über", "line 2: 'Über' is not a name of a-z, 0-9 and -")]
    [InlineData("agent: ../x", "line 2: '../x' is not a name of a-z, 0-9 and -")]
    [InlineData("model: --dangerous", "line 2: '--dangerous' is not a model id")]
    [InlineData("name: *x", "line 2: the header is not plain YAML: 'name' must be one value or a list of values, not nested and not an alias")]
    public void Parse_SaysWhatIsWrong(string line, string problem)
    {
        var result = Parse($"---\n{line}\n---\nLook well.");

        Assert.Null(result.Role);
        Assert.Contains(result.Problems, found => found.ToString().StartsWith(problem, StringComparison.Ordinal));
    }

    [Fact]
    public void Parse_RefusesARoleThatIsToldNothingOrHasNoName()
    {
        Assert.Equal("line 4: the role is told nothing; write behind the header what the role does", Assert.Single(Parse("---\nname: x\n---\n  \n").Problems).ToString());
        Assert.StartsWith("line 1: the role has no name", Assert.Single(Parse("Look well.", "No Name.md").Problems).ToString(), StringComparison.Ordinal);
        Assert.Equal("line 1: the file is not UTF-8; save it as UTF-8", Assert.Single(RoleParser.Parse([0xFF, 0xFE], "x.md").Problems).ToString());
        Assert.Single(RoleParser.Parse(new byte[RoleParser.MaxBytes + 1], "x.md").Problems);
    }

    private static RoleResult Parse(string text, string file = "role.md") => RoleParser.Parse(Encoding.UTF8.GetBytes(text), file);
}
