using Drella.Core;
using Drella.Core.PullRequests;

namespace Drella.Drivers.Tests.Git;

public sealed class QuarantineTests
{
    [Fact]
    public async Task Change_TravelsFromTheGuestToTheForge()
    {
        await using var f = await QuarantineFixture.StartAsync();
        f.Guest.Write("src/a.txt", "hello\n");
        f.Guest.Write("README.md", "one\n2\nthree\n");
        var delivered = f.Guest.Commit("Add a\n\nBecause of b.");

        var head = await f.IngestAsync();
        var change = await f.InspectAsync(head);
        var written = await f.RewriteAsync(head);
        await f.PushAsync(written, null);

        Assert.Equal(delivered, head);
        Assert.True(change.IsDescendant);
        Assert.False(change.Truncated);
        Assert.Equal(["README.md", "src/a.txt"], change.Files.Select(c => c.Path));
        Assert.Equal("\n2\n\n", change.Files[0].AddedText);
        Assert.Equal(('M', "100644", "100644", 12L), (change.Files[0].Status, change.Files[0].OldMode, change.Files[0].NewMode, change.Files[0].Size));
        Assert.Equal("hello\n", change.Files[1].AddedText);
        Assert.Equal("boss@corp.example", Assert.Single(change.Commits).AuthorEmail);
        Assert.Equal(written, f.Forge.Bare.Run("rev-parse", "refs/heads/drella/1-test"));
        Assert.Equal(f.Guest.Run("rev-parse", "HEAD^{tree}"), f.Show("rev-parse", written + "^{tree}"));
        Assert.Contains("+hello", await f.Quarantine.DiffAsync(QuarantineFixture.Repo, f.Base, head, 10_000, QuarantineFixture.Token), StringComparison.Ordinal);
        Assert.True(await f.Quarantine.IsAncestorAsync(QuarantineFixture.Repo, f.Base, head, QuarantineFixture.Token));
        Assert.False(await f.Quarantine.IsAncestorAsync(QuarantineFixture.Repo, head, f.Base, QuarantineFixture.Token));
    }

    [Fact]
    public async Task Diff_IsCutAtTheLimitAndSaysSo()
    {
        await using var f = await QuarantineFixture.StartAsync();
        f.Guest.Write("a.txt", string.Concat(Enumerable.Repeat("a line\n", 1000)));
        var head = await IngestCommitAsync(f, "Add");

        var diff = await f.Quarantine.DiffAsync(QuarantineFixture.Repo, f.Base, head, 500, QuarantineFixture.Token);

        Assert.True(diff.Length <= 500);
        Assert.EndsWith("[the diff was cut here]\n", diff, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rewrite_GivesTheSameObjectsForTheSameInput()
    {
        await using var f = await QuarantineFixture.StartAsync();
        f.Guest.Write("a.txt", "1\n");
        f.Guest.Commit("First");
        f.Guest.Write("b.txt", "2\n");
        var head = await IngestCommitAsync(f, "Second");
        var move = new FileMove("in-progress/spec.md", "done/spec.md", "Move the spec");

        var first = await f.RewriteAsync(head, move);

        Assert.Equal(first, await f.RewriteAsync(head, move));
        Assert.Equal(["Move the spec", "Second", "First"], f.Show("log", "--format=%s", $"{f.Base}..{first}").Split('\n'));
        Assert.Equal("README.md\na.txt\nb.txt\ndone/spec.md", f.Show("ls-tree", "-r", "--name-only", first));
    }

    [Fact]
    public async Task Rewrite_SetsIdentityAndTrailersAndCleansTheMessage()
    {
        await using var f = await QuarantineFixture.StartAsync();
        f.Guest.Write("a.txt", "1\n");
        const string Message = "Add \u001b[31mred\u001b[0m \u202Eteg\u202C \u001b]52;c;ZXZpbA==\u0007thing\n\n::set-output name=x::y\nBody \u001b]8;;https://evil.example\u001b\\link\u001b]8;;\u001b\\.\n\n"
            + "Signed-off-by: Boss <boss@corp.example>\nCo-authored-by: Boss <boss@corp.example>\nReviewed-By: Boss <boss@corp.example>\nDrella-Job: forged";
        var head = await IngestCommitAsync(f, Message);

        var written = await f.RewriteAsync(head);

        Assert.Equal(
            "drella <drella@factory.example> 1700000000|drella <drella@factory.example> 1700000001",
            f.Show("log", "-1", "--format=%an <%ae> %at|%cn <%ce> %ct", written));
        Assert.Equal(
            "Add red teg thing\n\n: :set-output name=x::y\nBody link.\n\nCo-authored-by: Somebody <s@example.org>\nDrella-Job: j1",
            f.Show("log", "-1", "--format=%B", written).Trim());
    }

    [Fact]
    public async Task Rewrite_SquashesWhatTheFinalDiffDoesNotShow()
    {
        await using var f = await QuarantineFixture.StartAsync();
        f.Guest.Write("key.txt", "a secret that is taken back\n");
        f.Guest.Commit("Oops");
        File.Delete(f.Guest.At("key.txt"));
        f.Guest.Write("a.txt", "1\n");
        var head = await IngestCommitAsync(f, "Take it back");

        var written = await f.RewriteAsync(head);

        Assert.Equal(f.Base, f.Show("rev-parse", written + "^"));
        Assert.DoesNotContain("key.txt", f.Show("log", "--name-only", "--format=", written), StringComparison.Ordinal);
        Assert.Contains("- Oops\n- Take it back", f.Show("log", "-1", "--format=%B", written), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rewrite_SquashesMergesAndLongHistories()
    {
        await using var f = await QuarantineFixture.StartAsync(o => o.MaxRewrittenCommits = 3);
        f.Guest.Run("checkout", "-q", "-b", "side");
        f.Guest.Write("side.txt", "1\n");
        f.Guest.Commit("Side");
        f.Guest.Run("checkout", "-q", "work");
        f.Guest.Write("a.txt", "1\n");
        f.Guest.Commit("Main");
        f.Guest.Run("merge", "-q", "--no-edit", "side");
        var merged = await f.RewriteAsync(await f.IngestAsync());
        Assert.Equal(f.Base, f.Show("rev-parse", merged + "^"));
        Assert.Equal(f.Guest.Run("rev-parse", "HEAD^{tree}"), f.Show("rev-parse", merged + "^{tree}"));

        f.Guest.Run("reset", "-q", "--hard", "main");
        foreach (var i in Enumerable.Range(0, 4))
        {
            f.Guest.Write($"f{i}", "1\n");
            f.Guest.Commit($"Step {i}");
        }

        var flat = await f.RewriteAsync(await f.IngestAsync());
        Assert.Equal(f.Base, f.Show("rev-parse", flat + "^"));
    }

    [Fact]
    public async Task Rewrite_OnAPublishedHeadKeepsTheMoveAndRefusesWhatBothChanged()
    {
        await using var f = await QuarantineFixture.StartAsync();
        f.Guest.Write("a.txt", "1\n");
        var first = await IngestCommitAsync(f, "First");
        var move = new FileMove("in-progress/spec.md", "done/spec.md", "Move the spec");
        var published = await f.RewriteAsync(first, move);
        f.Guest.Write("a.txt", "2\n");
        var second = await IngestCommitAsync(f, "Second");

        var next = await f.RewriteAsync(second, move, parent: published, from: first);

        Assert.Equal(published, f.Show("rev-parse", next + "^"));
        Assert.Equal("README.md\na.txt\ndone/spec.md", f.Show("ls-tree", "-r", "--name-only", next));
        Assert.Equal(next, await f.RewriteAsync(second, move, parent: next, from: second));

        f.Guest.Write("in-progress/spec.md", "Other.\n");
        var third = await IngestCommitAsync(f, "Change what was moved");
        var refusal = await Assert.ThrowsAsync<DriverException>(() => f.RewriteAsync(third, null, parent: next, from: second));
        Assert.Equal(DriverFailure.Conflict, refusal.Failure);
    }

    [Fact]
    public async Task Rewrite_GivesTheParentWhenThereIsNothingBetween()
    {
        await using var f = await QuarantineFixture.StartAsync();
        var head = await IngestCommitAsync(f, "Nothing at all");

        Assert.Equal(f.Base, await f.RewriteAsync(head));
        Assert.Equal(f.Base, await f.RewriteAsync(f.Base));
    }

    [Fact]
    public async Task Push_IsIdempotentAndMovesOwnBranchByLease()
    {
        await using var f = await QuarantineFixture.StartAsync();
        f.Guest.Write("a.txt", "1\n");
        var first = await f.RewriteAsync(await IngestCommitAsync(f, "First"));
        f.Guest.Write("a.txt", "2\n");
        var second = await f.RewriteAsync(await IngestCommitAsync(f, "Second"));

        await f.PushAsync(first, null);
        await f.PushAsync(first, null);
        await f.PushAsync(second, first);
        await f.PushAsync(second, first);

        Assert.Equal(second, f.Forge.Bare.Run("rev-parse", "refs/heads/drella/1-test"));
    }

    [Fact]
    public async Task Push_NeverOverwritesAHuman()
    {
        await using var f = await QuarantineFixture.StartAsync();
        f.Guest.Write("a.txt", "1\n");
        var ours = await f.RewriteAsync(await IngestCommitAsync(f, "First"));
        await f.PushAsync(ours, null);
        var human = f.Forge.Bare.Run("commit-tree", "-p", ours, "-m", "Mine", ours + "^{tree}");
        f.Forge.Bare.Run("update-ref", "refs/heads/drella/1-test", human);
        f.Guest.Write("a.txt", "2\n");
        var next = await f.RewriteAsync(await IngestCommitAsync(f, "Second"));

        foreach (var expected in new[] { ours, null })
        {
            var conflict = await Assert.ThrowsAsync<DriverException>(() => f.PushAsync(next, expected));
            Assert.Equal(DriverFailure.Conflict, conflict.Failure);
        }

        Assert.Equal(human, f.Forge.Bare.Run("rev-parse", "refs/heads/drella/1-test"));
    }

    [Theory]
    [InlineData("main")]
    [InlineData("drella")]
    [InlineData("refs/tags/v1")]
    [InlineData("drella/../main")]
    [InlineData("drella/a b")]
    [InlineData("drella/a:refs/heads/main")]
    [InlineData("+drella/a")]
    [InlineData("drella/x.lock")]
    [InlineData("--receive-pack=evil")]
    [InlineData("drella/a\n")]
    public async Task Push_GoesToOwnBranchesOnly(string branch)
    {
        await using var f = await QuarantineFixture.StartAsync();
        f.Forge.CommandLines.Clear();

        await Assert.ThrowsAsync<InvalidOperationException>(() => f.PushAsync(f.Base, null, branch));

        Assert.Empty(f.Forge.CommandLines);
    }

    [Fact]
    public async Task Push_ThatTheForgeRefusesIsForbidden()
    {
        await using var f = await QuarantineFixture.StartAsync();
        f.Forge.Bare.Write("hooks/pre-receive", "#!/bin/sh\necho protected\nexit 1\n");
        Drella.Drivers.Git.PrivateFolder.SetMode(f.Forge.Bare.At("hooks/pre-receive"), (UnixFileMode)0b111_101_101);
        f.Guest.Write("a.txt", "1\n");
        var written = await f.RewriteAsync(await IngestCommitAsync(f, "First"));

        var refusal = await Assert.ThrowsAsync<DriverException>(() => f.PushAsync(written, null));

        Assert.Equal(DriverFailure.Forbidden, refusal.Failure);
    }

    [Fact]
    public async Task Credential_IsOnNoCommandLineAndInNoFileAndInNoMessage()
    {
        await using var f = await QuarantineFixture.StartAsync();
        f.Guest.Write("a.txt", "1\n");
        await f.PushAsync(await f.RewriteAsync(await IngestCommitAsync(f, "First")), null);
        var encoded = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes("x-access-token:" + LoopbackForge.Secret));

        Assert.Contains(f.Forge.CommandLines, l => l.Contains("push", StringComparison.Ordinal) && l.Contains("--force-with-lease", StringComparison.Ordinal));
        Assert.DoesNotContain(f.Forge.CommandLines, l => l.Contains(LoopbackForge.Secret, StringComparison.Ordinal) || l.Contains(encoded, StringComparison.Ordinal));
        Assert.DoesNotContain(f.Files().Select(File.ReadAllText), t => t.Contains(LoopbackForge.Secret, StringComparison.Ordinal) || t.Contains(encoded, StringComparison.Ordinal));

        var wrong = f.Forge.Access with { Secret = "wrong-one-altogether" };
        var refusal = await Assert.ThrowsAsync<DriverException>(() => f.Quarantine.FetchAsync(QuarantineFixture.Repo, wrong, "main", QuarantineFixture.Token));
        Assert.Equal(DriverFailure.Forbidden, refusal.Failure);
        Assert.DoesNotContain("wrong-one-altogether", refusal.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fetch_DoesNotFollowARedirect()
    {
        await using var f = await QuarantineFixture.StartAsync();
        await using var other = await LoopbackForge.StartAsync();
        f.Forge.Gate = context =>
        {
            context.Response.Redirect(other.Address + context.Request.Path + context.Request.QueryString);
            return false;
        };

        await Assert.ThrowsAsync<DriverException>(() => f.Quarantine.FetchAsync(QuarantineFixture.Repo, f.Forge.Access, "main", QuarantineFixture.Token));

        Assert.Empty(other.CommandLines);
    }

    [Theory]
    [InlineData("ext::sh -c touch% marker")]
    [InlineData("file:///etc")]
    [InlineData("/etc")]
    [InlineData("HTTP://127.0.0.1/x")]
    [InlineData("ssh://host.example/x")]
    [InlineData("http://user:pass@127.0.0.1/x")]
    public async Task Fetch_TakesOnlyPlainHttpAddresses(string url)
    {
        await using var f = await QuarantineFixture.StartAsync();

        await Assert.ThrowsAsync<InvalidOperationException>(
            () => f.Quarantine.FetchAsync(QuarantineFixture.Repo, new GitAccessOf(url).Value, "main", QuarantineFixture.Token));
    }

    [Fact]
    public async Task Fetch_OfAnAbsentBranchSaysSo()
    {
        await using var f = await QuarantineFixture.StartAsync();

        var failure = await Assert.ThrowsAsync<DriverException>(() => f.Quarantine.FetchAsync(QuarantineFixture.Repo, f.Forge.Access, "nowhere", QuarantineFixture.Token));

        Assert.Equal(DriverFailure.NotFoundOrNoAccess, failure.Failure);
    }

    private static async Task<string> IngestCommitAsync(QuarantineFixture f, string message)
    {
        f.Guest.Commit(message);
        return await f.IngestAsync();
    }

    private sealed record GitAccessOf(string Url)
    {
        public Core.Forges.GitAccess Value => new(Url, "user", "secret");
    }
}
