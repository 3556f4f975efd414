using Drella.Core.PullRequests;
using Drella.Core.Secrets;

namespace Drella.Core.Tests.PullRequests;

public sealed class ContentPolicyTests
{
    private const string Base = "1111111111111111111111111111111111111111";
    private const string Head = "2222222222222222222222222222222222222222";

    [Fact]
    public void Policy_AcceptsAnOrdinaryChangeWithoutAnyFlag()
    {
        var report = Judge(File("src/Clock.cs", text: "public sealed class Clock;"), File("README.md", old: "100644", text: "More words."));

        Assert.True(report.IsAccepted);
        Assert.Empty(report.Refusals);
    }

    [Theory]
    [InlineData(".github/workflows/ci.yml")]
    [InlineData(".GitHub/Workflows/ci.yml")]
    [InlineData(".github/workflows")]
    [InlineData(".github/CODEOWNERS")]
    [InlineData("codeowners")]
    [InlineData("docs/CODEOWNERS")]
    [InlineData(".gitmodules")]
    [InlineData(".gitattributes")]
    [InlineData("deep/in/.gitattributes")]
    [InlineData(".lfsconfig")]
    [InlineData(".claude/settings.json")]
    [InlineData("sub/.Claude/settings.json")]
    [InlineData(".mcp.json")]
    [InlineData(".codex/config.toml")]
    [InlineData(".vscode/tasks.json")]
    [InlineData(".devcontainer/devcontainer.json")]
    [InlineData(".gitlab-ci.yml")]
    [InlineData(".husky/pre-commit")]
    [InlineData(".gi\u200ctmodules")]
    [InlineData(".gitmodules.")]
    [InlineData(".gitmodules::$DATA")]
    [InlineData(".claude /settings.json")]
    public void Policy_HoldsAProtectedPathInEverySpelling(string path)
    {
        Assert.Contains(Judge(File(path)).Refusals, r => r is { Rule: "protected-path", IsBlocking: true });
        Assert.Contains(Judge(File(path, status: 'D', old: "100644", mode: "000000")).Refusals, r => r is { Rule: "protected-path", IsBlocking: true });
    }

    [Theory]
    [InlineData(".git/config")]
    [InlineData("a/.GIT/hooks/post-checkout")]
    [InlineData("git~1/config")]
    [InlineData("GITMOD~1")]
    [InlineData(".g\u200dit/config")]
    [InlineData(".git./config")]
    [InlineData(".git /config")]
    [InlineData(".git::$INDEX_ALLOCATION/config")]
    [InlineData("../outside")]
    [InlineData("a/../b")]
    [InlineData("a//b")]
    [InlineData("/etc/passwd")]
    [InlineData("-rf")]
    [InlineData("a\\b")]
    [InlineData("con")]
    [InlineData("aux.txt")]
    [InlineData("a\u001b[31m.txt")]
    [InlineData("a\nb")]
    [InlineData("invoice\u202Efdp.exe")]
    [InlineData("a?b")]
    public void Policy_HoldsAPathThatAFileSystemTakesForSomethingElse(string path)
    {
        var report = Judge(File(path));

        var refusal = Assert.Single(report.Refusals, r => r.Rule == "path");
        Assert.True(refusal.IsBlocking);
        Assert.DoesNotContain(refusal.Path!, c => char.IsControl(c) || c is '\u202e' or '\u200d');
    }

    [Fact]
    public void Policy_HoldsInvalidUtf8AndTooLongPaths()
    {
        Assert.Contains(Judge(File("a\ufffd") with { PathIsValid = false }).Refusals, r => r is { Rule: "path", IsBlocking: true });
        Assert.Contains(Judge(File(new string('a', 401))).Refusals, r => r is { Rule: "path", IsBlocking: true });
    }

    [Theory]
    [InlineData("link", "/etc/passwd", false)]
    [InlineData("link", "../up", false)]
    [InlineData("a/link", "../../up", false)]
    [InlineData("a/link", "../.git/config", false)]
    [InlineData("a/link", "..\\..\\up", false)]
    [InlineData("a/link", "", false)]
    [InlineData("a/link", "../b", true)]
    [InlineData("link", "b/c", true)]
    public void Symlink_IsHeldAndAWaiverOpensOnlyThoseInsideTheTree(string path, string target, bool waivable)
    {
        var link = File(path, mode: "120000", text: target);

        Assert.False(Judge(link).IsAccepted);
        Assert.Equal(waivable, Judge(new PolicyWaivers(["**"]), link).IsAccepted);
    }

    [Fact]
    public void Submodule_IsHeldWhateverIsWaived()
    {
        Assert.Contains(Judge(new PolicyWaivers(["**"]), File("vendor/x", mode: "160000")).Refusals, r => r is { Rule: "submodule", IsBlocking: true });
        Assert.False(Judge(new PolicyWaivers(["**"]), File("vendor/x", status: 'D', old: "160000", mode: "000000")).IsAccepted);
    }

    [Fact]
    public void Waiver_OpensTheProtectedPathThatItNamesAndNoOther()
    {
        var waivers = new PolicyWaivers([".github/workflows/release.yml"]);

        Assert.True(Judge(waivers, File(".github/workflows/release.yml")).IsAccepted);
        Assert.False(Judge(waivers, File(".github/workflows/ci.yml")).IsAccepted);
    }

    [Fact]
    public void Secret_IsHeldByRuleFileAndLineButNeverRepeated()
    {
        var token = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8";

        var refusal = Assert.Single(Judge(new PolicyWaivers(["**"]), File("config.txt", text: $"one\ntwo\nkey {token}\n")).Refusals);

        Assert.True(refusal.IsBlocking);
        Assert.Equal("config.txt", refusal.Path);
        Assert.Contains("Line 3", refusal.Explanation, StringComparison.Ordinal);
        Assert.Contains("github-token", refusal.Explanation, StringComparison.Ordinal);
        Assert.DoesNotContain(token, refusal.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Secret_InACommitMessageIsHeld()
    {
        var message = "Fix\n\ntoken glpat-" + "Zx9kQ2mN7pR4tV8wY1bC";
        var change = Change(File("a.txt")) with { Commits = [new ChangedCommit(Head, 1, "a", "a@b.example", message)] };

        Assert.Contains(new ContentPolicy(new(), new()).Judge(change, PolicyWaivers.None).Refusals, r => r is { Rule: "secret", IsBlocking: true });
    }

    [Fact]
    public void Policy_HoldsWhatDoesNotDescendOrChangesNothingOrIsTooLarge()
    {
        Assert.Equal(["not-descendant"], Blocking(Change(File("a")) with { IsDescendant = false }));
        Assert.Equal(["empty"], Blocking(Change()));
        Assert.Equal(["too-many-files"], Blocking(Change(File("a")) with { Truncated = true }));
        Assert.Equal(["too-many-files"], Blocking(Change([.. Enumerable.Range(0, 501).Select(i => File($"f{i}"))])));
        Assert.Equal(["file-too-large"], Blocking(Change(File("a.bin") with { Size = (5 << 20) + 1, AddedText = null })));
        Assert.Equal(["too-large"], Blocking(Change([.. Enumerable.Range(0, 11).Select(i => File($"f{i}.bin") with { Size = 5 << 20, AddedText = null })])));
        Assert.Equal(["too-many-commits"], Blocking(Change(File("a")) with { Commits = [.. Enumerable.Range(0, 201).Select(_ => Commit())] }));
        Assert.Equal(["not-scanned"], Blocking(Change(File("a.txt", text: new string('a', 1 << 20)))));
        Assert.Equal(["not-text"], Blocking(Change(File("a.env") with { Size = 9, AddedText = null })));
        Assert.Equal(["mode"], Blocking(Change(File("a", mode: "100666"))));
    }

    [Fact]
    public void Policy_FlagsWhatAReviewerShouldKnow()
    {
        var report = Judge(
            File("run.sh", mode: "100755", text: "#!/bin/sh"),
            File("AGENTS.md", text: "Be nice."),
            File("asset.bin", text: "version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
            File("package.json", text: "{\"scripts\":{\"postinstall\":\"node x.js\"}}"),
            File("package-lock.json", text: "\"resolved\": \"https://evil.example/x.tgz\", \"resolved\": \"https://registry.npmjs.org/y.tgz\""),
            File("logo.png") with { Size = 9, AddedText = null });

        Assert.True(report.IsAccepted);
        Assert.Equal(
            ["binary", "executable", "install-script", "instructions", "lfs-pointer", "lock-file-host"], report.Refusals.Select(r => r.Rule).Order(StringComparer.Ordinal));
        Assert.DoesNotContain(report.Refusals, r => r.Explanation.Contains("registry.npmjs.org", StringComparison.Ordinal));
    }

    [Fact]
    public void Policy_FlagsForeignAuthors()
    {
        var change = Change(File("a")) with { Commits = [new ChangedCommit(Head, 1, "Maintainer", "boss@corp.example", "x")] };

        var report = new ContentPolicy(new() { GuestEmail = "agent@drella.example" }, new()).Judge(change, PolicyWaivers.None);

        Assert.Equal(["foreign-author"], report.Refusals.Select(r => r.Rule));
        Assert.True(report.IsAccepted);
    }

    [Fact]
    public void Report_IsBoundedAndKeepsWhatBlocks()
    {
        var report = Judge([.. Enumerable.Range(0, 300).Select(i => File($"s{i}.sh", mode: "100755")), File(".mcp.json")]);

        Assert.Equal(101, report.Refusals.Count);
        Assert.False(report.IsAccepted);
    }

    private static PolicyReport Judge(params ChangedFile[] files) => Judge(PolicyWaivers.None, files);

    private static PolicyReport Judge(PolicyWaivers waivers, params ChangedFile[] files) => new ContentPolicy(new(), new()).Judge(Change(files), waivers);

    private static IEnumerable<string> Blocking(ChangeSet change) =>
        new ContentPolicy(new(), new()).Judge(change, PolicyWaivers.None).Refusals.Where(r => r.IsBlocking).Select(r => r.Rule);

    private static ChangeSet Change(params ChangedFile[] files) => new(Base, Head, true, [Commit()], files, false);

    private static ChangedCommit Commit() => new(Head, 1, "Agent", "agent@drella.example", "Change");

    private static ChangedFile File(string path, char status = 'A', string old = "000000", string mode = "100644", string text = "text") =>
        new(path, true, status, old, mode, text.Length, mode == "000000" ? null : text);
}
