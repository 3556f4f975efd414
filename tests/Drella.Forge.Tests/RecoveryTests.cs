using Dapper;
using Drella.Forge.Storage;
using Microsoft.Data.Sqlite;

namespace Drella.Forge.Tests;

public sealed class RecoveryTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Restart_KeepsEverything()
    {
        var folder = Directory.CreateTempSubdirectory("drella-forge-").FullName;
        int number;
        string before;
        await using (var forge = await ForgeHost.StartAsync(Stop, folder))
        {
            await forge.Commit("feature", "b.txt", "x\n");
            number = await forge.Pull("feature");
            before = (await forge.Settled(number))["head"]["sha"]!.ToString();
        }

        await using (var forge = await ForgeHost.StartAsync(Stop, folder))
        {
            Assert.Equal(before, (await forge.Settled(number))["head"]["sha"]!.ToString());
            Assert.Equal(number + 1, (int)(await forge.Post("/repos/octo/app/issues", new { title = "Next" })).Expect(201)["number"]);
        }

        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Merge_BrokenOffAfterTheRefMovedIsFinishedByTheNextRead()
    {
        await using var forge = await ForgeHost.StartAsync(Stop);
        var head = await forge.Commit("feature", "b.txt", "x\n");
        var number = await forge.Pull("feature");
        var main = (await forge.Get("/repos/octo/app/git/ref/heads/main"))["object"]["sha"]!.ToString();
        var git = Path.Combine(forge.Folder, "git", "1.git");
        var tree = (await ForgeHost.Git(git, "rev-parse", head + "^{tree}")).Output.Trim();
        var squash = (await ForgeHost.Git(git, "commit-tree", tree, "-p", main, "-m", "Squash")).Output.Trim();
        Execute(forge, "UPDATE Pulls SET PendingSha = @squash, PendingById = 1", new { squash });
        Assert.Equal(0, (await ForgeHost.Git(git, "update-ref", "refs/heads/main", squash, main)).Code);

        var pull = await forge.Get($"/repos/octo/app/pulls/{number}");

        Assert.True((bool)pull["merged"]);
        Assert.Equal(squash, pull["merge_commit_sha"].ToString());
    }

    [Fact]
    public async Task Merge_BrokenOffBeforeTheRefMovedIsForgotten()
    {
        await using var forge = await ForgeHost.StartAsync(Stop);
        var head = await forge.Commit("feature", "b.txt", "x\n");
        var number = await forge.Pull("feature");
        Execute(forge, "UPDATE Pulls SET PendingSha = @head, PendingById = 1", new { head });

        Assert.Equal("open", (await forge.Get($"/repos/octo/app/pulls/{number}"))["state"].ToString());
        (await forge.Put($"/repos/octo/app/pulls/{number}/merge", new { })).Expect(200);
    }

    [Fact]
    public async Task Push_BrokenOffBeforeTheRecordIsSeenByTheNextRead()
    {
        await using var forge = await ForgeHost.StartAsync(Stop);
        await forge.Commit("feature", "b.txt", "x\n");
        var number = await forge.Pull("feature");
        var later = await forge.Commit("later", "c.txt", "y\n");
        var git = Path.Combine(forge.Folder, "git", "1.git");
        Assert.Equal(0, (await ForgeHost.Git(git, "update-ref", "refs/heads/feature", later)).Code);

        Assert.Equal(later, (await forge.Get($"/repos/octo/app/pulls/{number}"))["head"]["sha"]!.ToString());
        Assert.Equal(later, (await ForgeHost.Git(git, "rev-parse", $"refs/pull/{number}/head")).Output.Trim());
    }

    [Fact]
    public void Database_OfANewerSchemaIsRefused()
    {
        var folder = Directory.CreateTempSubdirectory("drella-forge-").FullName;
        var file = Path.Combine(folder, "forge.db");
        using (var database = new Database(file))
        {
            database.Write(db => db.Execute("PRAGMA user_version = 99"));
        }

        var failure = Assert.Throws<InvalidOperationException>(() => new Database(file));

        Assert.Contains("99", failure.Message, StringComparison.Ordinal);
        SqliteConnection.ClearAllPools();
        Directory.Delete(folder, recursive: true);
    }

    private static void Execute(ForgeHost forge, string sql, object values)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(forge.Folder, "forge.db")}");
        connection.Open();
        connection.Execute(sql, values);
    }
}
