using System.Text;
using Drella.Core.Roles;
using Drella.Core.Specs;

namespace Drella.Core.Tests.Specs;

/// <summary>The examples of <c>docs/formats/spec.md</c> are what it says they are.</summary>
public sealed class SpecDocumentTests
{
    private static readonly string Page = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "formats", "spec.md")).ReplaceLineEndings("\n");

    [Fact]
    public void Examples_AreReadWithoutAProblem()
    {
        var examples = Page.Split("```markdown\n").Skip(1).Select(part => Encoding.UTF8.GetBytes(part.Split("\n```\n")[0] + "\n")).ToList();

        Assert.Equal(2, examples.Count);
        var spec = SpecParser.Parse(examples[0], new SpecDefaults(null, null));
        Assert.Empty(spec.Problems);
        Assert.Single(spec.Spec!.AcceptanceCriteria);
        Assert.Empty(spec.Spec.OpenQuestions);
        Assert.Empty(RoleParser.Parse(examples[1], "validator.md").Problems);
    }

    [Fact]
    public void Tables_NameEveryKey()
    {
        string[] keys =
        [
            .. Keys(SpecParser.Parse("---\nnot_a_key_at_all: 1\n---\nx"u8, new SpecDefaults(null, null)).Problems),
            .. Keys(RoleParser.Parse("---\nnot_a_key_at_all: 1\n---\nx"u8, "x.md").Problems),
        ];

        Assert.NotEmpty(keys);
        Assert.All(keys, key => Assert.Matches($@"(?m)^\|[^|]*`{key}`", Page));
    }

    private static string[] Keys(IReadOnlyList<Problem> problems) =>
        problems.Single(problem => problem.What.Contains("not_a_key_at_all", StringComparison.Ordinal)).Suggestion!.Replace("the keys are ", "", StringComparison.Ordinal).Split(", ");
}
