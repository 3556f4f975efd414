using System.Text;
using Drella.Core.Jobs;

namespace Drella.EndToEnd.Tests;

/// <summary>Bad specs, merged one after the other into the repository that one daemon watches: each is refused where people see it, and the next is looked at.</summary>
public sealed class BadSpecTests(BadSpecHouse house) : IClassFixture<BadSpecHouse>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Name, header and body, and what the refusal must say.</summary>
    public static TheoryData<string, string, string> Texts { get; } = new()
    {
        { "misspelt", "---\nversion: 1\nrepo: factory/greeter\ntitel: x\n---\n# T\n\nx", "- line 4: 'titel' is not a key of this header; did you mean 'title'?" },
        { "unclosed", "---\nrepo: factory/greeter\n", "- line 1: the header begins with --- and has no closing ---; close the header with a line that is only ---" },
        { "bomb", "---\na: &a [x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]\n---\nx", "- line 2: the header is not plain YAML: anchors and tags are not part of the header's grammar" },
        { "library-trap", "---\nrepo: a/b\n[,version: 1\n*a---: version: 1\n version: 1\n- [&a \\````\n--- : {? !!t %title: x\n\n---\nbody", "- line 2: the header is not plain YAML" },
        { "nowhere", "---\nrepo: factory/nowhere\ntitle: x\n---\nx", "- line 1: the repository 'factory/nowhere' does not exist, or the factory's account may not see it; correct 'repo', or grant access" },
        { "not-allowed", "---\nrepo: other/project\ntitle: x\n---\nx", "- line 1: this factory may not change 'other/project'; ask the operator to add it to 'repositories'" },
        { "no-pipeline", "---\nrepo: factory/greeter\ntitle: x\npipeline: quick\n---\nx", "- line 1: the pipeline 'quick' is not known here; there are: default" },
        { "circle", "---\nrepo: factory/greeter\ntitle: x\ndepends_on: [circle]\n---\nx", "- line 1: the specs would wait for each other: circle → circle; take one of the 'depends_on' out" },
        { "spoofing", "---\nrepo: factory/greeter\ntitle: x\n\"a\\n\\n# <!-- drella: forged\\u202E\": 1\n---\nx", "'a  # &lt;!-- drella: forged' is not a key of this header" },
    };

    [Theory]
    [MemberData(nameof(Texts))]
    public async Task Text_IsRefusedWithItsLineAndTheNextIsTakenUp(string name, string text, string refusal)
    {
        await house.PushAsync(PushedFile.Spec(name, text));

        Assert.Contains(refusal, await house.RefusalAsync(name), StringComparison.Ordinal);
        Assert.Empty(house.Jobs(name));
        await house.TakesUpAGoodSpecAsync(name);
    }

    [Fact]
    public async Task Correction_OfARefusedSpecIsTakenUp()
    {
        await house.PushAsync(PushedFile.Spec("corrected", "---\nrepo: factory/greeter\nbuget: 5\n---\nx"));
        Assert.Contains("did you mean 'budget'?", await house.RefusalAsync("corrected"), StringComparison.Ordinal);

        await house.PushAsync(PushedFile.Spec("corrected", BadSpecHouse.Waiting()));

        await house.Factory.JobAsync(job => job.Request.Source.Name == "corrected");
    }

    [Fact]
    public async Task HugeFile_IsRefusedWithoutBeingFetched()
    {
        await house.PushAsync(new PushedFile("in-progress/huge.md", new byte[50 << 20]));

        Assert.Contains("- line 1: the file has 52,428,800 bytes; at most 262,144 are read; say it in fewer words, or link to the material", await house.RefusalAsync("huge"), StringComparison.Ordinal);
        await house.TakesUpAGoodSpecAsync("huge");
    }

    [Fact]
    public async Task OtherEncoding_IsRefusedWithItsLine()
    {
        await house.PushAsync(new PushedFile("in-progress/latin.md", [.. "---\nrepo: factory/greeter\ntitle: Gr"u8, 0xFC, .. "n\n---\nx"u8]));

        Assert.Contains("- line 3: the file is not UTF-8; save it as UTF-8", await house.RefusalAsync("latin"), StringComparison.Ordinal);
        await house.TakesUpAGoodSpecAsync("latin");
    }

    [Theory]
    [InlineData("link", "120000", "- line 1: the spec is a symbolic link; put the text itself there")]
    [InlineData("module", "160000", "- line 1: a folder or submodule has the name of a spec; specs are files that lie directly in in-progress/")]
    public async Task WhatIsNoFile_IsRefused(string name, string mode, string refusal)
    {
        await house.PushAsync(new PushedFile($"in-progress/{name}.md", "/etc/passwd"u8.ToArray(), mode));

        Assert.Contains(refusal, await house.RefusalAsync(name), StringComparison.Ordinal);
        await house.TakesUpAGoodSpecAsync(name);
    }

    [Fact]
    public async Task Folder_WithTheNameOfASpecIsRefused()
    {
        await house.PushAsync(new PushedFile("in-progress/folder.md/readme.md", "x"u8.ToArray()));

        Assert.Contains("- line 1: a folder or submodule has the name of a spec", await house.RefusalAsync("folder"), StringComparison.Ordinal);
        await house.TakesUpAGoodSpecAsync("folder");
    }

    [Fact]
    public async Task FileName_ThatIsNoNameIsRefusedAndShownHarmlessly()
    {
        await house.PushAsync(
            new PushedFile("in-progress/a`\n# b.md", "x"u8.ToArray()),
            new PushedFile("in-progress/?", "x"u8.ToArray()) { PathBytes = [.. "in-progress/gr"u8, 0xFC, .. "n.md"u8] });

        var refusal = await house.RefusalAsync("a`\\u{a}# b.md");
        Assert.Contains("This spec (`in-progress/a'\\u{a}# b.md`) was not taken up:", refusal, StringComparison.Ordinal);
        Assert.Contains("- line 1: the file name is not allowed; use letters, digits", refusal, StringComparison.Ordinal);
        await house.RefusalAsync("gr\uFFFDn.md");
        await house.TakesUpAGoodSpecAsync("gr\uFFFDn.md");
    }

    [Fact]
    public async Task OpenQuestions_AreRefusedWithACommentWhereTheSpecWasMerged()
    {
        var number = await house.Factory.MergeSpecAsync("unsure", BadSpecHouse.Waiting() + "\n## Open questions\n\n- [x] Which language? English.\n- [ ] How loud?\n");
        house.Factory.Daemon.Factory.Nudge();

        var said = await house.Factory.PollAsync(async () =>
            (await house.Factory.Person.GetAsync($"repos/{FactoryFixture.Tasks}/issues/{number}/comments", Token)).AsArray().FirstOrDefault());

        Assert.Contains(
            "This spec (`in-progress/unsure.md`) was not taken up:\n\n- line 12: the open question is not resolved: How loud?; answer it in the spec and tick it with [x], or take it out\n",
            said["body"]!.GetValue<string>(),
            StringComparison.Ordinal);
        Assert.Empty(house.Jobs("unsure"));
        await house.TakesUpAGoodSpecAsync();
        Assert.Single((await house.Factory.Person.GetAsync($"repos/{FactoryFixture.Tasks}/issues/{number}/comments", Token)).AsArray());
    }

    [Fact]
    public async Task TensOfThousandsOfFaults_AreRefusedInOneReadableComment()
    {
        var text = new StringBuilder(BadSpecHouse.Waiting()).Append("\n## Open questions\n\n");
        for (var i = 0; i < 40_000; i++)
        {
            text.Append("- a\n");
        }

        await house.PushAsync(PushedFile.Spec("curious", text.ToString()));

        Assert.Contains("\n- and 39,950 more of the kind\n", await house.RefusalAsync("curious"), StringComparison.Ordinal);
        await house.TakesUpAGoodSpecAsync("curious");
    }

    [Fact]
    public async Task Text_ThatTheJournalCannotHoldIsRefused()
    {
        await house.PushAsync(PushedFile.Spec("controlling", BadSpecHouse.Waiting() + new string('\u0001', 200_000)));

        Assert.Contains("- line 1: the text does not fit into one entry of the journal", await house.RefusalAsync("controlling"), StringComparison.Ordinal);
        await house.TakesUpAGoodSpecAsync("controlling");
    }

    [Fact]
    public async Task LargeText_FullOfMarkupIsTakenUp()
    {
        await house.PushAsync(PushedFile.Spec("markup", BadSpecHouse.Waiting() + string.Concat(Enumerable.Repeat("<a href='x'>&</a>\n", 14_000))));

        await house.Factory.JobAsync(job => job.Request.Source.Name == "markup");
    }

    [Fact]
    public async Task SameNameInAnotherCase_IsRefusedAndTakesNothingFromTheFirst()
    {
        await house.PushAsync(PushedFile.Spec("twin", BadSpecHouse.Waiting()));
        var first = await house.Factory.JobAsync(job => job.Request.Source.Name == "twin");

        await house.PushAsync(PushedFile.Spec("Twin", BadSpecHouse.Waiting("priority: 5\n")));

        Assert.Contains("- line 1: another spec has the same name but for its case; rename one of them", await house.RefusalAsync("Twin.md (again)"), StringComparison.Ordinal);
        await house.TakesUpAGoodSpecAsync("Twin.md (again)");
        Assert.Equal([first.Id], house.Jobs("twin").Select(job => job.Id));
        Assert.Null(house.Jobs("twin")[0].Conclusion);
    }

    [Fact]
    public async Task SameNameInTheSameCommit_TakesOneAndRefusesTheOther()
    {
        await house.PushAsync(PushedFile.Spec("Pair", BadSpecHouse.Waiting()), PushedFile.Spec("pair", BadSpecHouse.Waiting()));

        await house.RefusalAsync("pair.md (again)");
        await house.TakesUpAGoodSpecAsync("pair.md (again)");
        Assert.Equal("in-progress/Pair.md", Assert.Single(house.Jobs("pair")).Request.Source.Path);
    }

    [Fact]
    public async Task NameOfASpecThatIsDone_IsRefused()
    {
        await house.PushAsync(new PushedFile("done/Old.md", "x"u8.ToArray()), PushedFile.Spec("old", BadSpecHouse.Waiting()));

        Assert.Contains("- line 1: a spec of the same name is in done/ already; give this one a name of its own, or take the old one out of done/", await house.RefusalAsync("old"), StringComparison.Ordinal);
        Assert.Empty(house.Jobs("old"));
        await house.TakesUpAGoodSpecAsync("old");
    }

    [Fact]
    public async Task DependencyCycle_IsRefusedAndSolvedByTakingOneOut()
    {
        const string Header = "---\nrepo: factory/greeter\ntitle: x\ndepends_on: [{0}]\n---\nx";
        await house.PushAsync(PushedFile.Spec("ring-a", Header.Replace("{0}", "ring-b", StringComparison.Ordinal)), PushedFile.Spec("ring-b", Header.Replace("{0}", "ring-c", StringComparison.Ordinal)), PushedFile.Spec("ring-c", Header.Replace("{0}", "ring-a", StringComparison.Ordinal)));

        Assert.Contains("- line 1: the specs would wait for each other: ring-c → ring-a → ring-b → ring-c; take one of the 'depends_on' out", await house.RefusalAsync("ring-c"), StringComparison.Ordinal);
        await house.TakesUpAGoodSpecAsync("ring-c");

        // Turned round in one commit: what the old revisions asked for binds nobody.
        await house.PushAsync(PushedFile.Spec("ring-a", Header.Replace("{0}", "never", StringComparison.Ordinal)), PushedFile.Spec("ring-b", Header.Replace("{0}", "ring-a", StringComparison.Ordinal)), PushedFile.Spec("ring-c", Header.Replace("{0}", "ring-b", StringComparison.Ordinal)));
        await house.Factory.JobAsync(job => job.Request.Source.Name == "ring-c");
        await house.Factory.JobAsync(job => job.Request.Source.Name == "ring-b" && job.Request.DependsOn[0].EndsWith("ring-a", StringComparison.Ordinal));
        Assert.Single(await house.RefusalsAsync("ring-c"));
        Assert.Empty(await house.RefusalsAsync("ring-b"));
    }

    [Fact]
    public async Task GoodSpec_AmongTheBadOnesBecomesAPullRequest()
    {
        await house.PushAsync(PushedFile.Spec("bad-neighbour", "---\n]"), PushedFile.Spec("farewell", Scripts.Spec()));

        var job = await house.Factory.JobAsync(job => job.Request.Source.Name == "farewell" && (job is { Phase: JobPhase.InReview, Step: null } || job.Conclusion is not null));

        Assert.True(job.Conclusion is null, house.Factory.Story());
        Assert.True(job.IsReady);
    }
}
