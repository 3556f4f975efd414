namespace Gjoll.Cli.Tests;

public sealed class GitTests : IAsyncLifetime
{
    private readonly Commands _gjoll = new();

    private string Repository => Path.Combine(_gjoll.Folder, "repo");

    public async ValueTask InitializeAsync()
    {
        await _gjoll.UpAsync("git");
        Directory.CreateDirectory(Repository);
        await HostCommand.GitAsync(Repository, "init", "-q", "-b", "main");
        await CommitAsync("one");
        await _gjoll.DoAsync("push", "git", "-C", "repo");
    }

    public ValueTask DisposeAsync() => _gjoll.DisposeAsync();

    [Fact]
    public async Task Commits_GoThereAndComeBack()
    {
        Assert.Equal("one\n", (await GuestAsync("cat one; git status --porcelain")).Text);
        await GuestCommitAsync("two");

        var fetched = (await _gjoll.DoAsync("pull", "git", "-C", "repo", "--json")).Json;
        Assert.Equal("gjoll/git/main", fetched.GetProperty("reference").GetString());
        Assert.True(fetched.GetProperty("changed").GetBoolean());
        Assert.False(File.Exists(Path.Combine(Repository, "two")));

        await _gjoll.DoAsync("pull", "git", "main:main", "-C", "repo");
        Assert.Equal("two\n", File.ReadAllText(Path.Combine(Repository, "two")));
        await _gjoll.DoAsync("pull", "git", "main:other", "-C", "repo");
        Assert.Equal(await HostCommand.GitAsync(Repository, "rev-parse", "main"), await HostCommand.GitAsync(Repository, "rev-parse", "other"));
        Assert.False((await _gjoll.DoAsync("pull", "git", "-C", "repo", "--json")).Json.GetProperty("changed").GetBoolean());

        await CommitAsync("three");
        await _gjoll.DoAsync("push", "git", "-C", "repo");
        Assert.Equal("three\n", (await GuestAsync("cat three")).Text);
    }

    [Fact]
    public async Task Pull_IsNeverOverWorkThatIsNotCommitted()
    {
        await GuestCommitAsync("one", "changed");
        File.WriteAllText(Path.Combine(Repository, "one"), "my work\n");

        var refused = await _gjoll.RunAsync("pull", "git", "main:main", "-C", "repo");
        Assert.Equal((5, ""), (refused.Code, refused.Text));
        Assert.Equal(5, (await _gjoll.RunAsync("pull", "git", "main:main", "-C", "repo", "--force")).Code);
        Assert.Equal("my work\n", File.ReadAllText(Path.Combine(Repository, "one")));

        await HostCommand.GitAsync(Repository, "checkout", "-q", "one");
        await GuestCommitAsync("new");
        File.WriteAllText(Path.Combine(Repository, "new"), "not known to Git\n");
        Assert.Equal(5, (await _gjoll.RunAsync("pull", "git", "main:main", "-C", "repo")).Code);
        Assert.Equal("not known to Git\n", File.ReadAllText(Path.Combine(Repository, "new")));
    }

    [Fact]
    public async Task Branches_ThatWentApartAreMovedOnlyByForce()
    {
        await GuestCommitAsync("theirs");
        await CommitAsync("ours");
        var ours = await HostCommand.GitAsync(Repository, "rev-parse", "main");

        Assert.Equal(5, (await _gjoll.RunAsync("pull", "git", "main:main", "-C", "repo")).Code);
        Assert.Equal(ours, await HostCommand.GitAsync(Repository, "rev-parse", "main"));
        Assert.Equal(5, (await _gjoll.RunAsync("push", "git", "-C", "repo")).Code);
        Assert.Equal("theirs\n", (await GuestAsync("cat theirs")).Text);

        await _gjoll.DoAsync("pull", "git", "main:main", "-C", "repo", "--force");
        Assert.Equal("theirs\n", File.ReadAllText(Path.Combine(Repository, "theirs")));
        Assert.False(File.Exists(Path.Combine(Repository, "ours")));
    }

    [Fact]
    public async Task Push_IsNeverOverWorkInTheGuestThatIsNotCommitted()
    {
        await GuestAsync("echo work > one");
        await CommitAsync("two");

        Assert.Equal(5, (await _gjoll.RunAsync("push", "git", "-C", "repo")).Code);

        Assert.Equal("work\n", (await GuestAsync("cat one")).Text);
    }

    /// <summary>Whatever the guest's repository is configured to run, nothing of it runs here; and what its Git says is checked.</summary>
    [Fact]
    public async Task Guest_ThatIsHostileRunsNothingHereAndBringsNothingBroken()
    {
        var trap = Path.Combine(_gjoll.Folder, "trap");
        await GuestAsync($"git config core.fsmonitor 'touch {trap}'; git config uploadpack.packObjectsHook 'touch {trap}'; printf '#!/bin/sh\\ntouch {trap}\\n' > .git/hooks/post-checkout; chmod +x .git/hooks/post-checkout");
        await GuestCommitAsync("two");
        await _gjoll.DoAsync("pull", "git", "main:main", "-C", "repo");
        Assert.False(File.Exists(trap));

        // A tree with an entry that would be written into .git.
        await GuestAsync("""
            blob=$(echo evil | git hash-object -w --stdin)
            inner=$(printf '100644 blob %s\tconfig\n' "$blob" | git mktree)
            tree=$(printf "040000 .git\0" > /tmp/raw; printf "$(printf '%s' "$inner" | sed 's/../\\x&/g')" >> /tmp/raw; git hash-object -t tree -w --stdin --literally < /tmp/raw)
            commit=$(git -c user.name=A -c user.email=a@example.com commit-tree -p HEAD -m evil "$tree")
            git update-ref refs/heads/evil "$commit"
            """);
        var refused = await _gjoll.RunAsync("pull", "git", "evil:evil", "-C", "repo");
        Assert.NotEqual(0, refused.Code);
        Assert.DoesNotContain("evil", await HostCommand.GitAsync(Repository, "for-each-ref"), StringComparison.Ordinal);

        // A git of the guest's own that names what it likes.
        await _gjoll.DoAsync("ssh", "git", "--", "sh", "-c", "mkdir -p ~/evil && printf '#!/bin/sh\\necho refs/heads/../../x\\necho zzzz\\n' > ~/evil/git");
        Assert.Equal(5, (await _gjoll.RunAsync("pull", "git", "--path", "/work/none/../../tmp", "main:x..y", "-C", "repo")).Code);
        Assert.Equal(5, (await _gjoll.RunAsync("pull", "git", "-C", "repo", "--", "-x:main")).Code);
    }

    [Fact]
    public async Task Pull_StopsAtItsBound()
    {
        await GuestAsync("head -c 3000000 /dev/urandom > big; git add big; git -c user.name=A -c user.email=a@example.com commit -qm big");

        var said = await _gjoll.RunAsync("pull", "git", "-C", "repo", "--max-mib", "1");

        Assert.Equal(1, said.Code);
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(_gjoll.Home, "scratch")));
    }

    private async Task CommitAsync(string name)
    {
        await File.WriteAllTextAsync(Path.Combine(Repository, name), name + "\n", TestContext.Current.CancellationToken);
        await HostCommand.GitAsync(Repository, "add", name);
        await HostCommand.GitAsync(Repository, "commit", "-qm", name);
    }

    private Task<Said> GuestAsync(string script) => _gjoll.DoAsync("ssh", "git", "--folder", "/work/project", "--", "bash", "-euc", script);

    private Task<Said> GuestCommitAsync(string name, string? content = null) =>
        GuestAsync($"echo {content ?? name} > {name}; git add {name}; git -c user.name=Agent -c user.email=agent@example.com commit -qm {name}");
}
