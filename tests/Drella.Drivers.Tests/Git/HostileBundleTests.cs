using System.Text;
using Drella.Core;
using Drella.Core.PullRequests;
using Drella.Core.Secrets;
using Drella.Drivers.Git;

namespace Drella.Drivers.Tests.Git;

/// <summary>The cases G1 to G15 and K8 of the threat list, each with a real hostile repository.</summary>
public sealed class HostileBundleTests
{
    [Theory]
    [InlineData("core.fsmonitor", "touch MARKER; true")]
    [InlineData("core.hooksPath", "HOOKS")]
    [InlineData("core.sshCommand", "touch MARKER; false")]
    [InlineData("core.alternateRefsCommand", "touch MARKER; true")]
    [InlineData("core.askPass", "PROGRAM")]
    [InlineData("core.pager", "touch MARKER; cat")]
    [InlineData("credential.helper", "!touch MARKER")]
    [InlineData("diff.external", "PROGRAM")]
    [InlineData("diff.evil.textconv", "PROGRAM")]
    [InlineData("diff.evil.command", "PROGRAM")]
    [InlineData("filter.evil.smudge", "touch MARKER; cat")]
    [InlineData("filter.evil.clean", "touch MARKER; cat")]
    [InlineData("filter.evil.process", "touch MARKER; cat")]
    [InlineData("gpg.program", "PROGRAM")]
    [InlineData("include.path", "INCLUDED")]
    [InlineData("merge.evil.driver", "touch MARKER; true")]
    [InlineData("remote.origin.uploadpack", "touch MARKER; git-upload-pack")]
    [InlineData("uploadpack.packObjectsHook", "PROGRAM")]
    [InlineData("protocol.ext.allow", "always")]
    [InlineData("remote.origin.url", "ext::sh -c touch% MARKER")]
    public async Task HostileSetting_NeverRunsOnTheHost(string key, string value)
    {
        await using var f = await QuarantineFixture.StartAsync();
        var marker = f.Guest.At("MARKER-WAS-RUN");
        f.Guest.Write("program.sh", $"#!/bin/sh\ntouch {marker}\ncat \"$1\" 2>/dev/null\n");
        f.Guest.Write("included", $"[core]\n\tfsmonitor = touch {marker}; true\n[diff]\n\texternal = {f.Guest.At("program.sh")}\n");
        f.Guest.Write("hooks-of-evil/post-checkout", $"#!/bin/sh\ntouch {marker}\n");
        foreach (var hook in new[] { "pre-push", "reference-transaction", "post-update", "pre-receive", "post-merge", "post-rewrite", "pre-auto-gc" })
        {
            File.Copy(f.Guest.At("hooks-of-evil/post-checkout"), f.Guest.At($"hooks-of-evil/{hook}"));
        }

        foreach (var file in Directory.EnumerateFiles(f.Guest.At("hooks-of-evil")).Append(f.Guest.At("program.sh")))
        {
            PrivateFolder.SetMode(file, (UnixFileMode)0b111_101_101);
        }

        f.Guest.Write(".gitattributes", "* filter=evil diff=evil merge=evil\n");
        f.Guest.Write("README.md", "changed\n");
        var head = f.Guest.Commit("Hostile");
        var bundle = f.Guest.Bundle("main..work");
        f.Guest.Run(
            "config", key,
            value.Replace("MARKER", marker, StringComparison.Ordinal).Replace("PROGRAM", f.Guest.At("program.sh"), StringComparison.Ordinal)
                .Replace("HOOKS", f.Guest.At("hooks-of-evil"), StringComparison.Ordinal).Replace("INCLUDED", f.Guest.At("included"), StringComparison.Ordinal));
        var untouched = Snapshot(f.Guest.At(".git"));

        Assert.Equal(head, await f.Quarantine.IngestAsync(QuarantineFixture.Repo, QuarantineFixture.Job, bundle, QuarantineFixture.Token));
        await f.InspectAsync(head);
        await f.Quarantine.DiffAsync(QuarantineFixture.Repo, f.Base, head, 100_000, QuarantineFixture.Token);
        var written = await f.RewriteAsync(head, new FileMove("in-progress/spec.md", "done/spec.md", "Move"));
        await f.PushAsync(written, null);
        await f.Quarantine.FetchAsync(QuarantineFixture.Repo, f.Forge.Access, "drella/1-test", QuarantineFixture.Token);

        Assert.False(File.Exists(marker));
        Assert.Equal(untouched, Snapshot(f.Guest.At(".git")));
    }

    [Fact]
    public async Task Control_AHostileSettingDoesRunForGitInsideTheGuestsRepository()
    {
        await using var f = await QuarantineFixture.StartAsync();
        var marker = f.Guest.At("MARKER-WAS-RUN");
        f.Guest.Run("config", "core.fsmonitor", $"touch {marker}; true");

        f.Guest.Run("status");

        Assert.True(File.Exists(marker));
    }

    [Fact]
    public async Task Jail_ShowsNeitherTheHostsFilesNorANetwork()
    {
        if (!Jail.Exists)
        {
            Assert.Skip("bubblewrap is not installed: bundles are taken without a jail here");
        }

        await using var f = await QuarantineFixture.StartAsync();
        var scratch = Directory.CreateDirectory(Path.Combine(f.Folder, "scratch-of-test")).FullName;
        var jail = new Jail(true);
        jail.HandOver(scratch);
        var line = jail.Wrapper(scratch, Path.Combine(f.Store, "objects"), new QuarantineOptions { Folder = f.Folder });
        const string Script = "ls /; id -u; ls /sys/class/net /proc/net 2>/dev/null; touch /store/x 2>/dev/null && echo WROTE; touch /scratch/y && echo scratch-ok; cat /etc/passwd 2>/dev/null";

        var result = await new Drella.Drivers.Processes.ProcessRunner(TimeProvider.System).RunCheckedAsync(
            new Drella.Drivers.Processes.ProcessSpec { Program = line[0], Arguments = [.. line.Skip(1), "sh", "-c", Script + "; true"] }, QuarantineFixture.Token);

        var words = result.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Contains("scratch-ok", words);
        Assert.DoesNotContain("WROTE", words);
        Assert.DoesNotContain("0", words);
        Assert.DoesNotContain("home", words);
        Assert.DoesNotContain("root", words);
        Assert.DoesNotContain(words, w => w.Contains("root:", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(".git")]
    [InlineData(".GIT")]
    [InlineData("git~1")]
    [InlineData("..")]
    [InlineData(".")]
    [InlineData(".g\u200cit")]
    [InlineData("a/b")]
    public async Task Tree_WithANameThatGitMistakesIsRefused(string name)
    {
        await using var f = await QuarantineFixture.StartAsync();
        var inner = f.Guest.Tree(("100644", "config", f.Guest.Blob("[core]\n")));
        f.Guest.CommitTree(f.Guest.Tree(("40000", name, inner)), f.Base);

        Assert.Contains("does not accept", await f.RefusedAsync(f.Guest.Bundle("main..work")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tree_WithDuplicateEntriesOrALinkedGitmodulesIsRefused()
    {
        await using var f = await QuarantineFixture.StartAsync();
        var blob = f.Guest.Blob("x\n");
        f.Guest.CommitTree(f.Guest.Tree(("100644", "a", blob), ("100644", "a", blob)), f.Base);
        await f.RefusedAsync(f.Guest.Bundle("main..work"));

        f.Guest.CommitTree(f.Guest.Tree(("120000", ".gitmodules", f.Guest.Blob("/etc/passwd"))), f.Base);
        await f.RefusedAsync(f.Guest.Bundle("main..work"));
    }

    [Theory]
    [InlineData("[submodule \"x\"]\n\tpath = x\n\turl = -u./evil\n")]
    [InlineData("[submodule \"../../evil\"]\n\tpath = x\n\turl = https://host.example/x\n")]
    [InlineData("[submodule \"x\"]\n\tpath = -x\n\turl = https://host.example/x\n")]
    [InlineData("[submodule \"x\"]\n\tpath = x\n\turl = https://host.example/x\n\tupdate = !touch marker\n")]
    public async Task Gitmodules_ThatAttackCheckoutAreRefusedByFsck(string text)
    {
        await using var f = await QuarantineFixture.StartAsync();
        f.Guest.CommitTree(f.Guest.Tree(("100644", ".gitmodules", f.Guest.Blob(text))), f.Base);

        await f.RefusedAsync(f.Guest.Bundle("main..work"));
    }

    [Theory]
    [InlineData("ext::sh -c touch% marker")]
    [InlineData("file:///etc")]
    public async Task Submodule_IsHeldByThePolicyAndNeverInitialised(string url)
    {
        await using var f = await QuarantineFixture.StartAsync();
        var modules = f.Guest.Blob($"[submodule \"x\"]\n\tpath = x\n\turl = {url}\n");
        var head = f.Guest.CommitTree(f.Guest.Tree(("100644", ".gitmodules", modules), ("160000", "x", f.Base)), f.Base);
        await f.IngestAsync();

        var report = Judge(await f.InspectAsync(head));

        Assert.Contains(report.Refusals, r => r is { Rule: "submodule", Path: "x", IsBlocking: true });
        Assert.Contains(report.Refusals, r => r is { Rule: "protected-path", Path: ".gitmodules", IsBlocking: true });
    }

    [Theory]
    [InlineData("/etc/passwd")]
    [InlineData("../../outside")]
    public async Task Symlink_IsNotFollowedAndIsHeld(string target)
    {
        await using var f = await QuarantineFixture.StartAsync();
        File.CreateSymbolicLink(f.Guest.At("link"), target);
        f.Guest.Commit("Link");
        var change = await f.InspectAsync(await f.IngestAsync());

        var file = Assert.Single(change.Files);
        Assert.Equal(("120000", target), (file.NewMode, file.AddedText));
        Assert.Contains(Judge(change).Refusals, r => r is { Rule: "symlink", IsBlocking: true });
    }

    [Fact]
    public async Task Tree_ThatIsTooDeepOrTooLongOrEndlessIsRefused()
    {
        await using var f = await QuarantineFixture.StartAsync(o => (o.MaxTreeEntries, o.JailMemoryBytes) = (20_000, 1L << 30));
        var blob = f.Guest.Blob("x\n");

        var deep = f.Guest.Tree(("100644", "f", blob));
        foreach (var _ in Enumerable.Range(0, 200))
        {
            deep = f.Guest.Tree(("40000", "d", deep));
        }

        f.Guest.CommitTree(deep, f.Base);
        Assert.Contains("one inside another", await f.RefusedAsync(f.Guest.Bundle("main..work")), StringComparison.Ordinal);

        f.Guest.CommitTree(f.Guest.Tree(("100644", new string('n', 5000), blob)), f.Base);
        await f.RefusedAsync(f.Guest.Bundle("main..work"));

        // Ten trees that stand for ten thousand million files.
        var bomb = f.Guest.Tree([.. Enumerable.Range(0, 10).Select(i => ("100644", $"f{i}", blob))]);
        foreach (var _ in Enumerable.Range(0, 9))
        {
            var inner = bomb;
            bomb = f.Guest.Tree([.. Enumerable.Range(0, 10).Select(i => ("40000", $"d{i}", inner))]);
        }

        f.Guest.CommitTree(bomb, f.Base);
        Assert.Contains("more than 20000 entries", await f.RefusedAsync(f.Guest.Bundle("main..work")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task DeltaBomb_DiesInTheJailAndLeavesNothing()
    {
        await using var f = await QuarantineFixture.StartAsync(o => o.JailMemoryBytes = 300L << 20);
        f.Guest.Run("config", "core.bigFileThreshold", "2g");
        await using (var zeros = File.Create(f.Guest.At("zeros")))
        {
            zeros.SetLength(400L << 20);
        }

        f.Guest.Commit("Small on the wire");
        var bundle = f.Guest.Bundle("main..work");
        Assert.True(bundle.Length < 1 << 20);

        await f.RefusedAsync(bundle);
    }

    [Fact]
    public async Task Bundle_WithTooManyBytesOrObjectsIsRefused()
    {
        await using var f = await QuarantineFixture.StartAsync(o => (o.MaxBundleBytes, o.MaxBundleObjects) = (100_000, 20));
        await File.WriteAllBytesAsync(f.Guest.At("noise"), System.Security.Cryptography.RandomNumberGenerator.GetBytes(200_000), QuarantineFixture.Token);
        f.Guest.Commit("Large");
        Assert.Contains("larger than", await f.RefusedAsync(f.Guest.Bundle("main..work")), StringComparison.Ordinal);
        Assert.Contains("larger than", await f.RefusedAsync(new Endless()), StringComparison.Ordinal);

        f.Guest.Run("reset", "-q", "--hard", "main");
        foreach (var i in Enumerable.Range(0, 25))
        {
            f.Guest.Write($"f{i}", $"{i}");
        }

        f.Guest.Commit("Many");
        Assert.Contains("objects", await f.RefusedAsync(f.Guest.Bundle("main..work")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bundle_WithMoreThanOneRefIsRefused()
    {
        await using var f = await QuarantineFixture.StartAsync();
        f.Guest.Write("a", "1");
        f.Guest.Commit("One");
        f.Guest.Run("branch", "other");

        Assert.Contains("more than one ref", await f.RefusedAsync(f.Guest.Bundle("main..work", "other")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("PACK")]
    [InlineData("# v1 git bundle\n\nPACK........")]
    [InlineData("# v2 git bundle\n@filter=blob:none\nHEAD refs/heads/a\n\nPACK\0\0\0\u0002\0\0\0\0")]
    [InlineData("# v3 git bundle\n@filter=blob:none\n1111111111111111111111111111111111111111 refs/heads/a\n\nPACK\0\0\0\u0002\0\0\0\0")]
    [InlineData("# v2 git bundle\n1111111111111111111111111111111111111111 refs/tags/a\n\nPACK\0\0\0\u0002\0\0\0\0")]
    [InlineData("# v2 git bundle\n1111111111111111111111111111111111111111 refs/heads/../../config\n\nPACK\0\0\0\u0002\0\0\0\0")]
    [InlineData("# v2 git bundle\n1111111111111111111111111111111111111111 refs/heads/\u001b[31m\n\nPACK\0\0\0\u0002\0\0\0\0")]
    [InlineData("# v2 git bundle\n-1111\n1111111111111111111111111111111111111111 refs/heads/a\n\nPACK\0\0\0\u0002\0\0\0\0")]
    [InlineData("# v2 git bundle\n-1111111111111111111111111111111111111111 x\n1111111111111111111111111111111111111111 refs/heads/a\n\nPACK\0\0\0\u0002\0\0\0\0")]
    [InlineData("# v2 git bundle\n1111111111111111111111111111111111111111 refs/heads/a\n\nPACK\0\0\0\u0002\0\0\0\0")]
    [InlineData("# v2 git bundle\n1111111111111111111111111111111111111111 refs/heads/a\n\nPACK\0\0\0\u0002\0\0\0\u0001garbage")]
    public async Task Bundle_ThatIsNotOneIsRefusedWithAReason(string text)
    {
        await using var f = await QuarantineFixture.StartAsync();

        Assert.NotEmpty(await f.RefusedAsync(new MemoryStream(Encoding.Latin1.GetBytes(text))));
    }

    [Fact]
    public async Task Bundle_WithAPrerequisiteThatIsNotHereIsRefusedByName()
    {
        await using var f = await QuarantineFixture.StartAsync();
        f.Guest.Write("a", "1");
        var middle = f.Guest.Commit("Kept back");
        f.Guest.Write("b", "1");
        f.Guest.Commit("Sent");

        Assert.Contains(middle, await f.RefusedAsync(f.Guest.Bundle("work~1..work")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bundle_ThatLacksObjectsIsRefused()
    {
        await using var f = await QuarantineFixture.StartAsync();
        f.Guest.Write("a", "an object that does not come along");
        var head = f.Guest.Commit("Hollow");

        // A pack with the commit and without its tree and blob.
        var pack = f.Guest.Run(Encoding.ASCII.GetBytes(head + "\n"), ["pack-objects", "-q", "--stdout"]);
        var bundle = new MemoryStream([.. Encoding.ASCII.GetBytes($"# v2 git bundle\n-{f.Base} x\n{head} refs/heads/work\n\n"), .. pack]);

        await f.RefusedAsync(bundle);
    }

    [Fact]
    public async Task SecretInAFile_IsHeldBeforeAnythingIsPushed()
    {
        await using var f = await QuarantineFixture.StartAsync();
        var canary = "drl_8fK2mQz7Wn4Xc1Vb6Ty9Rp3Ls5Dj0Gh";
        f.Guest.Write("note.txt", "one\n" + Convert.ToBase64String(Encoding.UTF8.GetBytes("xx" + canary)));
        f.Guest.Write("utf16.txt", "");
        await File.WriteAllTextAsync(f.Guest.At("utf16.txt"), canary, Encoding.Unicode, QuarantineFixture.Token);
        f.Guest.Commit("See " + canary);

        var report = Judge(await f.InspectAsync(await f.IngestAsync()), canary);

        Assert.Equal(3, report.Refusals.Count(r => r is { Rule: "secret", IsBlocking: true }));
        Assert.DoesNotContain(report.Refusals, r => r.Explanation.Contains(canary, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Ingest_IsTheSameTwice()
    {
        await using var f = await QuarantineFixture.StartAsync();
        f.Guest.Write("a", "1");
        f.Guest.Commit("One");
        var head = await f.IngestAsync();
        var files = f.Files();

        Assert.Equal(head, await f.IngestAsync());
        Assert.Equal(files, f.Files());
        Assert.Equal(head, f.Show("rev-parse", $"refs/quarantine/{QuarantineFixture.Job}/{head}"));
    }

    [Fact]
    public async Task Paths_ThatAreNotUtf8AreShownAsInvalid()
    {
        await using var f = await QuarantineFixture.StartAsync();
        var blob = Convert.FromHexString(f.Guest.Blob("x"));
        byte[] tree = [.. "100644 a"u8, 0xff, 0xfe, 0, .. blob];
        var id = Encoding.ASCII.GetString(f.Guest.Run(tree, ["hash-object", "-t", "tree", "-w", "--stdin"])).Trim();
        var head = f.Guest.CommitTree(id, f.Base);
        await f.IngestAsync();

        Assert.Contains(Judge(await f.InspectAsync(head)).Refusals, r => r is { Rule: "path", IsBlocking: true });
    }

    private static PolicyReport Judge(ChangeSet change, params string[] known) =>
        new ContentPolicy(new(), new(new KnownSecrets(known))).Judge(change, PolicyWaivers.None);

    private static List<string> Snapshot(string folder) =>
        [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(p => $"{p} {new FileInfo(p).Length} {File.GetLastWriteTimeUtc(p):O}")];

    /// <summary>A guest that never stops sending.</summary>
    private sealed class Endless : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => 0; set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count) => count;

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
