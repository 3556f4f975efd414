using System.Text;
using Drella.Core;
using Drella.Core.Forges;

namespace Drella.Testing.Contracts;

/// <summary>What every <see cref="IForge"/> keeps, whichever forge is behind it. Each test has a world of its own.</summary>
public abstract partial class ForgeContract : IAsyncLifetime
{
    private const string Absent = "0123456789012345678901234567890123456789";

    private ForgeWorld? _world;

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    protected ForgeWorld World => _world ?? throw new InvalidOperationException("The world has not started.");

    protected IForge Bot => World.Bot;

    protected RepoName Repo => World.Repo;

    protected abstract Task<ForgeWorld> StartAsync(CancellationToken cancellationToken);

    /// <summary>Runs after each test, with the world still up.</summary>
    protected virtual void Verify()
    {
    }

    public async ValueTask InitializeAsync() => _world = await StartAsync(Cancel);

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Verify();
        if (_world is not null)
        {
            await _world.DisposeAsync();
        }
    }

    [Fact]
    public async Task WhoAmI_IsStableAndDiffersBetweenAccounts()
    {
        var bot = await Bot.WhoAmIAsync(Cancel);

        Assert.Equal(bot, await Bot.WhoAmIAsync(Cancel));
        Assert.NotEqual(bot.Id, (await World.Person.WhoAmIAsync(Cancel)).Id);
    }

    [Fact]
    public async Task Permission_RisesWithTheRole()
    {
        async Task<Permission> Of(IForge who) => await World.Person.PermissionAsync(Repo, (await who.WhoAmIAsync(Cancel)).Login, Cancel);

        Assert.Equal(Permission.Write, await Of(Bot));
        Assert.Equal(Permission.Read, await Of(World.Reader));
        Assert.True(await Of(World.Person) >= Permission.Maintain);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("nobody-of-that-name")]
    public async Task Permission_IsNoneForOutsidersAndUnknownNames(string? login) =>
        Assert.Equal(Permission.None, await World.Person.PermissionAsync(Repo, login ?? World.OutsiderLogin, Cancel));

    [Fact]
    public async Task Permission_FailsForARepositoryWeCannotSee() =>
        await FailsAsync(DriverFailure.NotFoundOrNoAccess, () => Bot.PermissionAsync(World.Hidden, World.OutsiderLogin, Cancel));

    [Fact]
    public async Task Repo_NamesTheDefaultBranch()
    {
        var repo = await Bot.RepoAsync(Repo, Cancel);

        Assert.Equal((Repo, "main", true), (repo.Name, repo.DefaultBranch, repo.IsPrivate));
    }

    [Fact]
    public async Task Repo_IsNotFoundWhenHiddenOrAbsentAlike()
    {
        await FailsAsync(DriverFailure.NotFoundOrNoAccess, () => Bot.RepoAsync(World.Hidden, Cancel));
        await FailsAsync(DriverFailure.NotFoundOrNoAccess, () => Bot.RepoAsync(RepoName.Parse($"{Repo.Owner}/absent"), Cancel));
    }

    [Fact]
    public async Task GitAccess_PointsIntoTheForgeAndHidesItsSecret()
    {
        var access = await Bot.GitAccessAsync(Repo, Cancel);

        Assert.EndsWith($"/{Repo}.git", access.Url, StringComparison.Ordinal);
        Assert.DoesNotContain(access.Secret, access.Url + access, StringComparison.Ordinal);
    }

    [Fact]
    public async Task BranchHead_FollowsTheBranch()
    {
        var before = await Bot.BranchHeadAsync(Repo, "main", Cancel);
        var after = await World.CommitAsync("main", "a.txt", "a\n", Cancel);

        Assert.NotEqual(before, after);
        Assert.Equal(after, await Bot.BranchHeadAsync(Repo, "main", Cancel));
    }

    [Fact]
    public async Task BranchHead_IsNullForAnAbsentBranchAndForAPrefix()
    {
        await World.CommitAsync("feature/one", "a.txt", "a\n", Cancel);

        Assert.Null(await Bot.BranchHeadAsync(Repo, "feature", Cancel));
        Assert.Null(await Bot.BranchHeadAsync(Repo, "feature/on", Cancel));
        Assert.NotNull(await Bot.BranchHeadAsync(Repo, "feature/one", Cancel));
        await FailsAsync(DriverFailure.NotFoundOrNoAccess, () => Bot.BranchHeadAsync(World.Hidden, "main", Cancel));
    }

    [Fact]
    public async Task Folder_ListsDirectEntriesWithModes()
    {
        var head = await World.CommitAsync("main", "deep/er/file.txt", "x", Cancel);

        var root = await Bot.FolderAsync(Repo, head, "", Cancel);
        var deep = await Bot.FolderAsync(Repo, head, "deep/er", Cancel);

        Assert.Equal(["README.md", "deep", "in-progress"], root.Select(i => i.Name).Order(StringComparer.Ordinal));
        Assert.Equal("040000", root.Single(i => i.Name == "deep").Mode);
        Assert.Equal(("file.txt", "100644", 1L), (deep.Single().Name, deep.Single().Mode, deep.Single().Size));
        Assert.Empty(await Bot.FolderAsync(Repo, head, "absent/folder", Cancel));
        Assert.Empty(await Bot.FolderAsync(Repo, head, "README.md", Cancel));
    }

    [Fact]
    public async Task Folder_FailsForAnUnknownCommit() =>
        await FailsAsync(DriverFailure.NotFoundOrNoAccess, () => Bot.FolderAsync(Repo, Absent, "", Cancel));

    [Theory]
    [InlineData("ünï cödé.md", "grüße 🚀\n")]
    [InlineData("empty", "")]
    [InlineData("q?#%2e&+.txt", "x")]
    public async Task Blob_GivesTheBytesOfOddFiles(string name, string content)
    {
        var head = await World.CommitAsync("main", "odd/" + name, content, Cancel);

        var item = Assert.Single(await Bot.FolderAsync(Repo, head, "odd", Cancel));
        var bytes = await Bot.BlobAsync(Repo, item.ObjectId, 100, Cancel);

        Assert.Equal(name, item.Name);
        Assert.Equal(content, Encoding.UTF8.GetString(bytes.Span));
    }

    [Fact]
    public async Task Blob_LargerThanAllowedIsExhausted()
    {
        var head = await World.CommitAsync("main", "big/file", new string('x', 200_000), Cancel);
        var item = Assert.Single(await Bot.FolderAsync(Repo, head, "big", Cancel));

        Assert.Equal(200_000, (await Bot.BlobAsync(Repo, item.ObjectId, 200_000, Cancel)).Length);
        await FailsAsync(DriverFailure.Exhausted, () => Bot.BlobAsync(Repo, item.ObjectId, 199_999, Cancel));
        await FailsAsync(DriverFailure.Exhausted, () => Bot.BlobAsync(Repo, item.ObjectId, 10, Cancel));
        await FailsAsync(DriverFailure.NotFoundOrNoAccess, () => Bot.BlobAsync(Repo, Absent, 10, Cancel));
    }

    [Fact]
    public async Task LastCommit_IsTheOneThatTouchedThePath()
    {
        var wanted = await World.CommitAsync("main", "in-progress/next.md", "x", Cancel);
        await World.CommitAsync("main", "other.txt", "y", Cancel);
        var person = await World.Person.WhoAmIAsync(Cancel);

        var found = await Bot.LastCommitAsync(Repo, "main", "in-progress/next.md", Cancel);

        Assert.Equal((wanted, person.Login), (found?.ObjectId, found?.AuthorLogin));
        Assert.Null(await Bot.LastCommitAsync(Repo, "main", "absent.md", Cancel));
    }

    [Fact]
    public async Task MoveFile_MovesInOneCommitAndOnce()
    {
        var before = await Bot.BranchHeadAsync(Repo, "main", Cancel);

        await Bot.MoveFileAsync(Repo, "main", "in-progress/spec.md", "done/spec.md", "Move the spec", Cancel);
        var after = await Bot.BranchHeadAsync(Repo, "main", Cancel);
        await Bot.MoveFileAsync(Repo, "main", "in-progress/spec.md", "done/spec.md", "Move the spec", Cancel);

        Assert.NotEqual(before, after);
        Assert.Equal(after, await Bot.BranchHeadAsync(Repo, "main", Cancel));
        Assert.Empty(await Bot.FolderAsync(Repo, after!, "in-progress", Cancel));
        Assert.Equal("spec.md", Assert.Single(await Bot.FolderAsync(Repo, after!, "done", Cancel)).Name);
        Assert.Contains(await Bot.FolderAsync(Repo, after!, "", Cancel), i => i.Name == "README.md");
    }

    [Fact]
    public async Task MoveFile_FailsForAbsentFilesOtherTargetsAndBadPaths()
    {
        await World.CommitAsync("main", "done/spec.md", "another text", Cancel);

        await FailsAsync(DriverFailure.NotFoundOrNoAccess, () => Bot.MoveFileAsync(Repo, "main", "absent.md", "gone.md", "m", Cancel));
        await FailsAsync(DriverFailure.Conflict, () => Bot.MoveFileAsync(Repo, "main", "in-progress/spec.md", "done/spec.md", "m", Cancel));
        await FailsAsync(DriverFailure.Invalid, () => Bot.MoveFileAsync(Repo, "main", "README.md", "../README.md", "m", Cancel));
        await FailsAsync(DriverFailure.NotFoundOrNoAccess, () => Bot.MoveFileAsync(Repo, "absent", "README.md", "x.md", "m", Cancel));
    }

    [Fact]
    public async Task MoveFile_IsRefusedToAReader()
    {
        var thrown = await Assert.ThrowsAsync<DriverException>(
            () => World.Reader.MoveFileAsync(Repo, "main", "README.md", "x.md", "m", Cancel));

        Assert.Contains(thrown.Failure, (DriverFailure[])[DriverFailure.Forbidden, DriverFailure.NotFoundOrNoAccess]);
        Assert.False(thrown.IsTransient);
    }

    [Fact]
    public async Task DeleteBranch_DeletesOnlyTheExpectedHeadAndIsRepeatable()
    {
        var old = await World.CommitAsync("drella/x", "a.txt", "a", Cancel);
        var head = await World.CommitAsync("drella/x", "a.txt", "b", Cancel);

        await FailsAsync(DriverFailure.Conflict, () => Bot.DeleteBranchAsync(Repo, "drella/x", old, Cancel));
        Assert.Equal(head, await Bot.BranchHeadAsync(Repo, "drella/x", Cancel));
        await Bot.DeleteBranchAsync(Repo, "drella/x", head, Cancel);
        await Bot.DeleteBranchAsync(Repo, "drella/x", head, Cancel);

        Assert.Null(await Bot.BranchHeadAsync(Repo, "drella/x", Cancel));
    }

    [Fact]
    public async Task Checks_AreEmptyWithoutAny() =>
        Assert.Empty(await Bot.ChecksAsync(Repo, (await Bot.BranchHeadAsync(Repo, "main", Cancel))!, Cancel));

    [Fact]
    public async Task Status_TheLastOneOfAContextCounts()
    {
        var head = (await Bot.BranchHeadAsync(Repo, "main", Cancel))!;

        await Bot.SetStatusAsync(Repo, head, new StatusReport("drella/checks", CheckOutcome.Pending, "running", null), Cancel);
        await Bot.SetStatusAsync(Repo, head, new StatusReport("drella/other", CheckOutcome.Failed, new string('é', 500), "https://example.com/1"), Cancel);
        await Bot.SetStatusAsync(Repo, head, new StatusReport("drella/checks", CheckOutcome.Passed, "fine", null), Cancel);

        var states = (await World.Person.ChecksAsync(Repo, head, Cancel)).OrderBy(c => c.Name, StringComparer.Ordinal).ToList();
        Assert.Equal([("drella/checks", CheckOutcome.Passed), ("drella/other", CheckOutcome.Failed)], states.Select(s => (s.Name, s.Outcome)));
        Assert.Equal("https://example.com/1", states[1].Url);
    }

    [Fact]
    public async Task EnsureWebhook_MakesOneAndOnlyOne()
    {
        await World.Person.EnsureWebhookAsync(Repo, "https://drella.example/hook", "first secret", Cancel);
        await World.Person.EnsureWebhookAsync(Repo, "https://drella.example/hook", "first secret", Cancel);
        await World.Person.EnsureWebhookAsync(Repo, "https://drella.example/hook", "second secret", Cancel);

        Assert.Equal(["https://drella.example/hook"], await World.WebhooksAsync(Cancel));
    }

    private protected static async Task FailsAsync(DriverFailure failure, Func<Task> act)
    {
        var thrown = await Assert.ThrowsAsync<DriverException>(act);
        Assert.Equal((failure, false), (thrown.Failure, thrown.IsTransient));
    }
}
