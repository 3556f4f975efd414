namespace Drella.EndToEnd.Tests.Verbs;

/// <summary><c>drella demo</c> as the README names it: exit code and document say whether all of it happened.</summary>
public sealed class DemoTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("drella-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Demo_GoesFromAMergedSpecToAMergedPullRequest()
    {
        var demo = (await DrellaProgram.RunAsync(folder, "demo", "--json", "--folder", "demo")).Expect(0);

        CliDocument.Holds("demo", demo.Json);
        Assert.True(demo.Json["ok"]!.GetValue<bool>());
        Assert.Null(demo.Json["problem"]);
        Assert.Equal(Path.Combine(folder, "demo"), demo.Json["folder"]!.GetValue<string>());
        Assert.Equal(2, demo.Json["rounds"]!.GetValue<int>());
        Assert.Equal(2, demo.Json["remarksAnswered"]!.GetValue<int>());
        Assert.True(demo.Json["spentDollars"]!.GetValue<decimal>() > 0);
        Assert.All(
            new[] { "forge      http", "dashboard  http", "journal    ", "merged http", "pull request http", "inline:1: Fixed in ", "done/ holds greet-loudly.md" },
            told => Assert.Contains(told, demo.Talk, StringComparison.Ordinal));
        (await DrellaProgram.RunAsync(folder, "verify", "--config", "demo/drella.yaml")).Expect(0);
        Assert.Empty(Directory.EnumerateDirectories(Path.Combine(folder, "demo", "data", "sandboxes")).SelectMany(Directory.EnumerateDirectories));
    }

    [Fact]
    public async Task Demo_ThatCannotHappenSaysWhyAndExitsWith1()
    {
        var demo = (await DrellaProgram.RunAsync(folder, await DrellaProgram.PathWithoutAsync(folder, "bwrap"), "demo", "--json", "--folder", "demo")).Expect(1);

        CliDocument.Holds("demo", demo.Json);
        Assert.False(demo.Json["ok"]!.GetValue<bool>());
        Assert.Contains("Could not start bwrap", demo.Json["problem"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Null(demo.Json["pullRequest"]);
    }

    [Fact]
    public async Task Demo_WithTheRealModelAsksForTheKey()
    {
        var demo = (await DrellaProgram.RunAsync(folder, new Dictionary<string, string?> { ["ANTHROPIC_API_KEY"] = null }, "demo", "--live", "--json", "--folder", "demo")).Expect(1);

        Assert.Contains("ANTHROPIC_API_KEY is not set", demo.Json["problem"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Demo_LeavesAFolderAloneThatIsNotEmpty()
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "mine"), "x", Token);

        var demo = (await DrellaProgram.RunAsync(folder, "demo", "--json", "--folder", folder)).Expect(5);

        Assert.Equal("", demo.Output);
        Assert.Contains("not empty", demo.Talk, StringComparison.Ordinal);
        Assert.Equal([Path.Combine(folder, "mine")], Directory.EnumerateFileSystemEntries(folder));
    }
}
