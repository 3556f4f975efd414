using System.Text;
using Drella.Core.Forges;
using Drella.Core.Specs;

namespace Drella.Core.Tests.Specs;

public sealed class SpecParserTests
{
    private const string Full = """
        ---
        version: 1
        repo: team/greeter
        base: release/2.x
        title: Greet loudly
        pipeline: careful
        profile: offline
        agent: claude-code
        priority: -7
        budget: $2.50
        depends_on: [add-login, rename.v2]
        timeout: 90m
        ---
        # Loud

        Why not.

        ## Acceptance criteria

        - [ ] it shouts
        - [x] it is tested

        ## Open questions

        - [x] How loud? Very.
        """;

    [Fact]
    public void Parse_ReadsEveryKeyOfTheHeader()
    {
        var spec = Good(Full);

        Assert.Equal(RepoName.Parse("team/greeter"), spec.Repo);
        Assert.Equal("release/2.x", spec.Base);
        Assert.Equal("Greet loudly", spec.Title);
        Assert.Equal("careful", spec.Pipeline);
        Assert.Equal("offline", spec.Profile);
        Assert.Equal("claude-code", spec.Agent);
        Assert.Equal(-7, spec.Priority);
        Assert.Equal(2_500_000, spec.Budget);
        Assert.Equal(["add-login", "rename.v2"], spec.DependsOn);
        Assert.Equal(TimeSpan.FromMinutes(90), spec.Timeout);
        Assert.Equal(["it shouts", "it is tested"], spec.AcceptanceCriteria);
        Assert.Empty(spec.OpenQuestions);
        Assert.StartsWith("# Loud", spec.Body, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_IsSilentAboutWhatTheHeaderDoesNotSay()
    {
        var spec = Good("---\nrepo: team/greeter\n---\n# The heading\n\nText");

        Assert.Equal("The heading", spec.Title);
        Assert.Null(spec.Base);
        Assert.Null(spec.Pipeline);
        Assert.Null(spec.Profile);
        Assert.Null(spec.Agent);
        Assert.Null(spec.Budget);
        Assert.Null(spec.Timeout);
        Assert.Equal(0, spec.Priority);
        Assert.Empty(spec.DependsOn);
    }

    [Fact]
    public void Parse_ReadsTheSameFromWindowsAndWithAByteOrderMark()
    {
        var plain = Good(Full);
        var windows = Parse([.. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes(Full.ReplaceLineEndings("\r\n"))]).Spec!;

        Assert.Equal(plain.Body, windows.Body);
        Assert.Equal(plain.Title, windows.Title);
        Assert.Equal(plain.AcceptanceCriteria, windows.AcceptanceCriteria);
        Assert.Equal(plain.DependsOn, windows.DependsOn);
        Assert.Equal(plain.Base, windows.Base);
    }

    [Fact]
    public void Parse_TakesRepositoryAndTitleFromTheIssueWhereThereIsNoHeader()
    {
        var result = SpecParser.Parse("Please greet."u8, new SpecDefaults(RepoName.Parse("team/greeter"), "Greet"));

        Assert.Equal("Greet", result.Spec!.Title);
        Assert.Equal("Please greet.", result.Spec.Body);
    }

    [Theory]
    [InlineData("titel: x", "line 3: 'titel' is not a key of this header; did you mean 'title'?")]
    [InlineData("Title: x", "line 3: 'Title' is not a key of this header; did you mean 'title'?")]
    [InlineData("depend_on: [a]", "line 3: 'depend_on' is not a key of this header; did you mean 'depends_on'?")]
    [InlineData("shell_command: x", "line 3: 'shell_command' is not a key of this header; the keys are version, repo, base, title, pipeline, profile, agent, priority, budget, depends_on, timeout")]
    [InlineData("version: 2", "line 3: version 2 of the header is not known here; write version: 1")]
    [InlineData("version: one", "line 3: version one of the header is not known here; write version: 1")]
    [InlineData("base: ../main", "line 3: '../main' is not a branch name")]
    [InlineData("base: --upload-pack=x", "line 3: '--upload-pack=x' is not a branch name")]
    [InlineData("base: main.lock", "line 3: 'main.lock' is not a branch name")]
    [InlineData("base: a@{1}", "line 3: 'a@{1}' is not a branch name")]
    [InlineData("base: [main]", "line 3: 'base' takes one value, not a list")]
    [InlineData("pipeline: Fast Lane", "line 3: 'Fast Lane' is not a name of a-z, 0-9 and -")]
    [InlineData("profile: ../x", "line 3: '../x' is not a name of a-z, 0-9 and -")]
    [InlineData("agent: $(id)", "line 3: '$(id)' is not a name of a-z, 0-9 and -")]
    [InlineData("priority: high", "line 3: 'high' is not a whole number from -100 to 100")]
    [InlineData("priority: 101", "line 3: '101' is not a whole number from -100 to 100")]
    [InlineData("priority: 1.5", "line 3: '1.5' is not a whole number from -100 to 100")]
    [InlineData("budget: 0", "line 3: '0' is not an amount of US dollars above 0 and up to 10000; write for instance 'budget: 2.50'")]
    [InlineData("budget: -1", "line 3: '-1' is not an amount of US dollars above 0 and up to 10000; write for instance 'budget: 2.50'")]
    [InlineData("budget: 1e9", "line 3: '1e9' is not an amount of US dollars above 0 and up to 10000; write for instance 'budget: 2.50'")]
    [InlineData("budget: 99999999999999999999999999999999", "line 3: '99999999999999999999999999999999' is not an amount of US dollars above 0 and up to 10000; write for instance 'budget: 2.50'")]
    [InlineData("timeout: soon", "line 3: 'soon' is not a time from 1m to 24h; write for instance 'timeout: 90m'")]
    [InlineData("timeout: 25h", "line 3: '25h' is not a time from 1m to 24h; write for instance 'timeout: 90m'")]
    [InlineData("timeout: 0m", "line 3: '0m' is not a time from 1m to 24h; write for instance 'timeout: 90m'")]
    [InlineData("depends_on: [../x]", "line 3: '../x' is not of the form: names of specs in this folder, such as 'add-login'")]
    [InlineData("title: \"two\\nlines\"", "line 3: the title must be one line of at most 120 characters")]
    [InlineData("repo: team/other", "line 3: 'repo' stands twice in the header; keep one of them")]
    public void Parse_SaysLineAndRemedyOfAFault(string line, string problem) =>
        Assert.Equal([problem], Problems($"---\nrepo: team/greeter\n{line}\n---\n# Title\n\nText"));

    [Theory]
    [InlineData("nowhere")]
    [InlineData("a/b/c")]
    [InlineData("../etc")]
    [InlineData("-o/x")]
    [InlineData("team/greeter.git")]
    [InlineData("https://evil/x")]
    public void Parse_RefusesWhatIsNoRepository(string repo) =>
        Assert.Equal([$"line 2: '{repo}' is not a repository; write it as owner/name"], Problems($"---\nrepo: {repo}\ntitle: x\n---\nText"));

    [Fact]
    public void Parse_ReportsEveryProblemAtOnce()
    {
        var problems = Problems("---\nversion: 9\nrepo: x\npriority: y\nbudget: z\ntimeout: q\nwhat: 1\n---\n");

        Assert.Equal(8, problems.Count);
        Assert.Contains(problems, problem => problem.Contains("'what' is not a key", StringComparison.Ordinal));
        Assert.Contains(problems, problem => problem.Contains("there is no title", StringComparison.Ordinal));
        Assert.Contains("line 9: there is no text behind the header; say what is wanted, and how one can tell that it is there", problems);
    }

    [Theory]
    [InlineData("---\nrepo: a/b\n", "line 1: the header begins with --- and has no closing ---; close the header with a line that is only ---")]
    [InlineData("---\n- a\n---\nx", "line 2: the header is not a list of 'key: value' lines")]
    [InlineData("---\njust words\n---\nx", "line 2: the header is not a list of 'key: value' lines")]
    [InlineData("---\nrepo: {a: b}\n---\nx", "line 2: the header is not plain YAML: 'repo' must be one value or a list of values, not nested and not an alias")]
    [InlineData("---\nrepo: &a x/y\n---\nx", "line 2: the header is not plain YAML: anchors and tags are not part of the header's grammar")]
    [InlineData("---\nrepo: !!python/object x\n---\nx", "line 2: the header is not plain YAML: anchors and tags are not part of the header's grammar")]
    [InlineData("---\n\tbudget: 5\n---\nx", "line 2: the line begins with a tab; write it without")]
    [InlineData("---\nrepo: a/b\n\tbudget: 5\n---\nx", "line 3: the line begins with a tab; write it without")]
    [InlineData("---\nrepo: a/b\ntitle: x\n...\nbudget: 5\n---\nx", "line 5: the header goes on behind its end; keep to one list of 'key: value' lines")]
    [InlineData("---\n{repo: a/b}\n--- {title: x}\n---\nx", "line 3: the header goes on behind its end; keep to one list of 'key: value' lines")]
    public void Parse_RefusesAHeaderThatIsNoFlatMapping(string text, string problem) => Assert.Equal([problem], Problems(text));

    [Theory]
    [InlineData("---\nrepo: [a, *b]\n---\nx")]
    [InlineData("---\n? [a]\n: b\n---\nx")]
    [InlineData("---\n*a : b\n---\nx")]
    [InlineData("---\nrepo: 'open\n---\nx")]
    [InlineData("---\n<<: *base\n---\nx")]
    [InlineData("---\n%YAML 1.1\n---\nx")]
    [InlineData("---\nrepo: a/b\n}\n---\nx")]
    [InlineData("---\nrepo: \"\\uZZZZ\"\n---\nx")]
    [InlineData("---\nrepo: a\u0000b\n---\nx")]
    public void Parse_RefusesWhatYamlMakesOfIt(string text)
    {
        var problem = Assert.Single(Problems(text));

        Assert.StartsWith("line ", problem, StringComparison.Ordinal);
        Assert.Contains("is not plain YAML: ", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_SurvivesWhatTheYamlLibraryDoesNot() =>
        Assert.Equal(["line 2: the header is not plain YAML"], Problems("---\nrepo: a/b\n[,version: 1\n*a---: version: 1\n version: 1\n- [&a \\````\n--- : {? !!t %title: x\n\n---\nbody"));

    [Fact]
    public void Parse_DoesNotUnfoldABomb()
    {
        var bomb = new StringBuilder("---\na: &a [x, x, x, x, x, x, x, x, x]\n");
        for (var level = 'b'; level <= 'j'; level++)
        {
            bomb.Append(level).Append(": &").Append(level).Append(" [").AppendJoin(", ", Enumerable.Repeat($"*{(char)(level - 1)}", 9)).Append("]\n");
        }

        Assert.Equal(["line 2: the header is not plain YAML: anchors and tags are not part of the header's grammar"], Problems(bomb + "---\nx"));
    }

    [Fact]
    public void Parse_RefusesDepthAndSizeInsteadOfPayingForThem()
    {
        Assert.Single(Problems($"---\nrepo: {new string('[', 8000)}\n---\nx"));
        Assert.Equal(
            ["line 1: the header has more than 16,384 characters; move text into the body"],
            Problems($"---\ntitle: {new string('x', FrontMatter.MaxHeaderBytes)}\n---\nx"));
        Assert.Equal(
            ["line 1: the file has 262,145 bytes; at most 262,144 are read; say it in fewer words, or link to the material"],
            [.. Parse(new byte[SpecParser.MaxBytes + 1]).Problems.Select(problem => problem.ToString())]);
        Assert.NotNull(Parse(Encoding.UTF8.GetBytes(Full.PadRight(SpecParser.MaxBytes))).Spec);
    }

    [Fact]
    public void Parse_NamesTheLineThatIsNotUtf8()
    {
        var bytes = Encoding.UTF8.GetBytes("---\nrepo: a/b\n---\nGr?n\n");
        bytes[Array.IndexOf(bytes, (byte)'?')] = 0xFC;

        Assert.Equal(["line 4: the file is not UTF-8; save it as UTF-8"], [.. Parse(bytes).Problems.Select(problem => problem.ToString())]);
        Assert.Single(Parse(Encoding.Unicode.GetPreamble().Concat(Encoding.Unicode.GetBytes(Full)).ToArray()).Problems);
    }

    [Theory]
    [InlineData("greet.md", "greet")]
    [InlineData("Greet.MD", "greet")]
    [InlineData("v1.2_x.md", "v1.2_x")]
    [InlineData("greet.txt", null)]
    [InlineData(".md", null)]
    [InlineData(".hidden.md", null)]
    [InlineData("a b.md", null)]
    [InlineData("a\nb.md", null)]
    [InlineData("größe.md", null)]
    [InlineData("-rf.md", null)]
    public void NameOf_AllowsPlainNamesOnly(string file, string? name) => Assert.Equal(name, SpecParser.NameOf(file));

    [Fact]
    public void Parse_DoesNotThrowWhateverThePeopleWrite()
    {
        string[] pieces =
        [
            "---\n", "---", "repo: a/b\n", "title: x\n", "\r\n", "\n", "\t", "- ", "? ", ": ", "&a ", "*a", "!!t ", "[", "]", "{", "}", "\"", "'", "|\n", ">\n", "%", "@", "`", "#", "\\",
            "\0", "\uFEFF", "\u2028", "\u0085", "é", "\U0001F600", "...\n", "<<: ", "~~~\n", "```\n", "## Open questions\n", "- [ ] x\n", "  ", "version: 1\n", ",", "\"\\x", "\"\\U00110000\"", "? |2-\n",
        ];
        for (var seed = 0; seed < 20_000; seed++)
        {
            var random = new Random(seed);
            var text = string.Concat(Enumerable.Range(0, random.Next(1, 30)).Select(_ => pieces[random.Next(pieces.Length)]));
            text = seed % 3 == 0 ? text : $"---\n{text}\n---\nbody";
            try
            {
                var result = Parse(Encoding.UTF8.GetBytes(text));
                Assert.True(result.Spec is null == result.Problems.Count > 0);
            }
            catch (Exception error) when (error is not Xunit.Sdk.XunitException)
            {
                Assert.Fail($"seed {seed}: {error} for {text}");
            }
        }
    }

    [Fact]
    public void Parse_DoesNotThrowOnAnyBytes()
    {
        for (var seed = 0; seed < 5_000; seed++)
        {
            var random = new Random(seed);
            var bytes = new byte[random.Next(0, 200)];
            random.NextBytes(bytes);
            var result = Parse([.. "---\n"u8, .. bytes, .. "\n---\nx"u8]);
            Assert.True(result.Problems.Count > 0, $"seed {seed} made a spec of noise");
        }
    }

    private static SpecResult Parse(ReadOnlySpan<byte> bytes) => SpecParser.Parse(bytes, new SpecDefaults(null, null));

    private static Spec Good(string text)
    {
        var result = Parse(Encoding.UTF8.GetBytes(text));
        Assert.Empty(result.Problems);
        return result.Spec!;
    }

    private static IReadOnlyList<string> Problems(string text) => [.. Parse(Encoding.UTF8.GetBytes(text)).Problems.Select(problem => problem.ToString())];
}
