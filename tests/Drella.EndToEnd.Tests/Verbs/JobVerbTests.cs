using System.Globalization;
using System.Text.Json.Nodes;
using Drella.Core.Agents;
using Microsoft.Data.Sqlite;

namespace Drella.EndToEnd.Tests.Verbs;

/// <summary>Every verb that speaks to a daemon, run as a person runs it, against one that runs.</summary>
public sealed class JobVerbTests(RunningFactory factory) : IClassFixture<RunningFactory>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Run_FollowsTheJobToItsMergeAndTheOtherVerbsTellOfIt()
    {
        await using var run = DrellaProgram.Start(factory.Folder, null, "run", await factory.SpecAsync("A farewell"), "--follow", "--json");
        var begun = await run.DocumentAsync();
        CliDocument.Holds("run", begun);
        var id = begun["job"]!.GetValue<string>();
        var open = await factory.UntilAsync(id, InReview);
        await LooksAsync(id, open);

        await factory.Person.MergeAsync(FactoryFixture.Repo, open["pullRequest"]!.GetValue<int>(), Token);
        var followed = (await run.EndAsync()).Expect(0);

        Assert.All(followed.JsonLines, line => CliDocument.Holds("job log --follow", line));
        Assert.Equal("sandbox.released", followed.JsonLines[^1]["kind"]!.GetValue<string>());
        Assert.Contains("ended without a merge", (await factory.RunAsync("job", "retry", id)).Expect(5).Talk, StringComparison.Ordinal);
        (await factory.RunAsync("job", "log", id, "--follow")).Expect(0);
        await EvidenceAsync(id);
    }

    [Fact]
    public async Task Cancel_EndsTheJobAndRetryBeginsAgain()
    {
        var id = await factory.JobAsync("An endless one");
        await factory.UntilAsync(id, job => job["step"]?.GetValue<string>() == "Work" && job["spent"]!.GetValue<decimal>() > 0);
        Assert.Equal(id, await factory.JobAsync("An endless one"));
        CliDocument.Holds("job steer", (await factory.RunAsync("job", "steer", id, "Mind the time.", "--json")).Expect(0).Json);
        await using var following = DrellaProgram.Start(factory.Folder, null, "job", "log", id, "--follow");

        CliDocument.Holds("job cancel", (await factory.RunAsync("job", "cancel", id, "--reason", "not wanted", "--json")).Expect(0).Json);
        var cancelled = await factory.UntilAsync(id, IsOver);

        Assert.Equal("Cancelled", cancelled["conclusion"]!.GetValue<string>());
        Assert.Contains("not wanted", cancelled["reason"]!.GetValue<string>(), StringComparison.Ordinal);
        (await following.EndAsync()).Expect(1);
        Assert.Contains("over", (await factory.RunAsync("job", "cancel", id)).Expect(5).Talk, StringComparison.Ordinal);
        Assert.Contains("is over (Cancelled)", (await factory.RunAsync("run", await factory.SpecAsync("An endless one"))).Expect(5).Talk, StringComparison.Ordinal);
        Assert.Contains("no agent is at work", (await factory.RunAsync("job", "steer", id, "Hello?")).Expect(5).Talk, StringComparison.Ordinal);

        CliDocument.Holds("job retry", (await factory.RunAsync("job", "retry", id, "--json")).Expect(0).Json);
        await factory.UntilAsync(id, job => job["attempt"]!.GetValue<int>() == 2 && job["step"]?.GetValue<string>() == "Work");
        (await factory.RunAsync("job", "cancel", id)).Expect(0);
        await factory.UntilAsync(id, IsOver);
    }

    [Fact]
    public async Task Answer_LetsTheAgentGoOn()
    {
        var id = await factory.JobAsync("A question");
        await factory.UntilAsync(id, job => job["wait"]?.GetValue<string>() == "Answer");
        var asked = (await factory.RunAsync("job", "show", id, "--json")).Expect(0).Json;
        Assert.Equal("In which language?", asked["question"]!.GetValue<string>());
        Assert.Contains("In which language?", (await factory.RunAsync("job", "show", id)).Expect(0).Output, StringComparison.Ordinal);

        CliDocument.Holds("job answer", (await factory.RunAsync("job", "answer", id, "German", "--json")).Expect(0).Json);

        await factory.UntilAsync(id, InReview);
        Assert.Contains("+tschuess", (await factory.RunAsync("job", "diff", id)).Expect(0).Output, StringComparison.Ordinal);
        Assert.Contains("no question", (await factory.RunAsync("job", "answer", id, "French")).Expect(5).Talk, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Continue_WithMoreMoneyGoesOnWhereTheBudgetEnded()
    {
        var id = await factory.JobAsync("A costly one", budget: "1.00");
        await factory.UntilAsync(id, job => job["wait"]?.GetValue<string>() == "Budget");
        Assert.Contains("budget", (await factory.RunAsync("job", "continue", id, "--budget", "-1")).Expect(5).Talk, StringComparison.Ordinal);

        CliDocument.Holds("job continue", (await factory.RunAsync("job", "continue", id, "--budget", "20", "--json")).Expect(0).Json);

        var open = await factory.UntilAsync(id, InReview);
        Assert.Equal(20, open["limit"]!.GetValue<decimal>());
    }

    [Fact]
    public async Task Verbs_SayWhatIsWrongWithWhatTheyWereGiven()
    {
        var spec = await factory.SpecAsync("x");
        var bad = Path.Combine(factory.Folder, "bad.md");
        await File.WriteAllTextAsync(bad, "---\nversion: 1\nrepoo: factory/greeter\ntitle: t\n---\nx\n", Token);

        Assert.Contains("'drella job ls' lists them", (await factory.RunAsync("job", "show", "zzz", "--json")).Expect(3).Talk, StringComparison.Ordinal);
        (await factory.RunAsync("run", "missing.md")).Expect(3);
        Assert.Contains("did you mean 'repo'", (await factory.RunAsync("run", bad)).Expect(5).Talk, StringComparison.Ordinal);
        Assert.Contains("OWNER/NAME", (await factory.RunAsync("run", spec, "--repo", "greeter")).Expect(2).Talk, StringComparison.Ordinal);
        foreach (var failed in new[] { await factory.RunAsync("job", "show", "zzz", "--json"), await factory.RunAsync("run", bad, "--json") })
        {
            Assert.Equal("", failed.Output);
        }
    }

    [Fact]
    public void Up_SaysWhereEverythingIsOnceItServes()
    {
        CliDocument.Holds("up", factory.Serving);
        Assert.StartsWith("http://127.0.0.1:", factory.Serving["dashboard"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.True(File.Exists(factory.Serving["journal"]!.GetValue<string>()));
    }

    [Fact]
    public async Task Up_OnAFolderInUseNamesTheProcessThatHoldsIt()
    {
        var second = (await factory.RunAsync("up")).Expect(5);

        Assert.Contains($"process {factory.Daemon.Id.ToString(CultureInfo.InvariantCulture)} (drella up)", second.Talk, StringComparison.Ordinal);
        Assert.Contains("Stop that one first", second.Talk, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Doctor_ProvesEveryControlBesideARunningDaemon()
    {
        var checks = (await factory.RunAsync("doctor", "--json")).Expect(0).Json;

        CliDocument.Holds("doctor", checks);
        Assert.Equal(
            ["configuration", "git", "bwrap", "agent", "disk", "journal", "sandbox", "blocked host, by proxy", "blocked host, directly", "no credential inside", "host files unreadable", "foreign token refused", "no privileges inside", "hostile guest", "journal survives a kill"],
            // Notes say what this machine lacks for a stronger sandbox; another machine has none.
            checks.AsArray().Select(check => check!["name"]!.GetValue<string>()).Where(name => name != "sandbox note"));
    }

    [Fact]
    public async Task Follow_ThatIsInterruptedExitsWith130()
    {
        var id = await factory.JobAsync("Another endless one");
        await using var following = DrellaProgram.Start(factory.Folder, null, "job", "log", id, "--follow");
        await following.Output.ReadLineAsync(Token);

        await following.SignalAsync("INT");

        (await following.EndAsync()).Expect(130);
        (await factory.RunAsync("job", "cancel", id)).Expect(0);
        await factory.UntilAsync(id, IsOver);
    }

    private static bool InReview(JsonNode job) => job["phase"]!.GetValue<string>() == "InReview" && job["step"] is null;

    private static bool IsOver(JsonNode job) => job["conclusion"] is not null && job["step"] is null;

    private async Task LooksAsync(string id, JsonNode open)
    {
        var listed = (await factory.RunAsync("job", "ls", "--json")).Expect(0).Json;
        CliDocument.Holds("job ls", listed);
        Assert.Contains(id, (await factory.RunAsync("job", "ls")).Expect(0).Output, StringComparison.Ordinal);
        CliDocument.Holds("job show", (await factory.RunAsync("job", "show", id[..^2], "--json")).Expect(0).Json);
        Assert.Contains(open["pullRequestUrl"]!.GetValue<string>(), (await factory.RunAsync("job", "show", id)).Expect(0).Output, StringComparison.Ordinal);
        var diff = (await factory.RunAsync("job", "diff", id, "--json")).Expect(0).Json;
        CliDocument.Holds("job diff", diff);
        Assert.Contains("+goodbye", diff["diff"]!.GetValue<string>(), StringComparison.Ordinal);
        var events = (await factory.RunAsync("job", "log", id, "--json")).Expect(0).JsonLines.Select(line => AgentEventJson.Read(line.ToJsonString())).ToList();
        Assert.Contains(events, said => said is AgentEvent.ToolCall);
        Assert.IsType<AgentEvent.TurnEnded>(events.Last(said => said is not AgentEvent.Notice));
        Assert.Contains("▸ ", (await factory.RunAsync("job", "log", id)).Expect(0).Output, StringComparison.Ordinal);
        Assert.All((await factory.RunAsync("job", "log", id, "--raw")).Expect(0).JsonLines, line => Assert.NotNull(line["type"]));
        (await factory.RunAsync("job", "log", id, "--run", "7")).Expect(3);
    }

    /// <summary>The evidence is copied and checked while the daemon works; a flipped byte is found in each place where it may lie.</summary>
    private async Task EvidenceAsync(string id)
    {
        var verified = (await factory.RunAsync("verify", "--json")).Expect(0).Json;
        CliDocument.Holds("verify", verified);
        Assert.True(verified["transcripts"]!.GetValue<int>() > 0);
        (await factory.RunAsync("verify", "--job", id)).Expect(0);
        (await factory.RunAsync("verify", "--job", "jffffffffffff")).Expect(3);
        var copy = Path.Combine(factory.Folder, "copy");
        var made = (await factory.RunAsync("backup", copy, "--json")).Expect(0);
        CliDocument.Holds("backup", made.Json);
        Assert.Contains("backup: 100 %", made.Talk, StringComparison.Ordinal);
        Assert.Contains("exists already", (await factory.RunAsync("backup", copy)).Expect(5).Talk, StringComparison.Ordinal);
        (await factory.RunAsync("verify", "--backup", copy)).Expect(0);

        await TamperAsync(copy, "blobs.db", "UPDATE chunks SET data = zeroblob(length(data)) WHERE id = (SELECT min(id) FROM chunks)");
        var transcript = (await factory.RunAsync("verify", "--backup", copy, "--json")).Expect(6).Json;
        Assert.Contains("vouches for", Assert.Single(transcript["problems"]!.AsArray())!.GetValue<string>(), StringComparison.Ordinal);
        await TamperAsync(copy, "blobs.db", "DELETE FROM chunks; DELETE FROM blobs");
        (await factory.RunAsync("verify", "--backup", copy)).Expect(6);
        await TamperAsync(copy, "journal.db", $"UPDATE entries SET payload = zeroblob(length(payload)) WHERE id = (SELECT max(id) FROM entries WHERE stream = (SELECT id FROM streams WHERE name = 'job/{id}'))");
        var journal = (await factory.RunAsync("verify", "--backup", copy, "--json")).Expect(6).Json;
        Assert.Contains(id, Assert.Single(journal["problems"]!.AsArray())!.GetValue<string>(), StringComparison.Ordinal);
    }

    private static async Task TamperAsync(string folder, string file, string sql)
    {
        await using var database = new SqliteConnection($"Data Source={Path.Combine(folder, file)};Pooling=False");
        await database.OpenAsync(Token);
        await using var command = database.CreateCommand();
        command.CommandText = sql;
        Assert.True(await command.ExecuteNonQueryAsync(Token) > 0);
    }
}
