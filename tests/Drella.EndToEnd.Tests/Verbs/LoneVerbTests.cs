using System.Diagnostics;
using System.Net.Http.Json;
using System.Net.Sockets;
using Drella.Drivers.Journals.Sqlite;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drella.EndToEnd.Tests.Verbs;

/// <summary>Verbs that need no daemon, and what the others say when there is none.</summary>
public sealed class LoneVerbTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("drella-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Init_WritesAConfigurationThatDoctorTakesAndLeavesOneAlone()
    {
        var made = (await RunAsync("init", "--json")).Expect(0).Json;

        CliDocument.Holds("init", made);
        Assert.True(File.Exists(made["file"]!.GetValue<string>()));
        var again = (await RunAsync("init", "--json")).Expect(5);
        Assert.Equal("", again.Output);
        Assert.Contains("left alone", again.Talk, StringComparison.Ordinal);
        var checks = (await DrellaProgram.RunAsync(folder, new Dictionary<string, string?> { ["ANTHROPIC_API_KEY"] = null }, "doctor", "--json")).Expect(6).Json.AsArray();
        Assert.Equal(["model key"], checks.Where(check => !check!["ok"]!.GetValue<bool>()).Select(check => check!["name"]!.GetValue<string>()));
    }

    [Fact]
    public async Task Doctor_SaysWhatIsMissingAndHowToGetIt()
    {
        var checks = (await DrellaProgram.RunAsync(folder, await DrellaProgram.PathWithoutAsync(folder, "bwrap"), "doctor", "--json")).Expect(6).Json;

        CliDocument.Holds("doctor", checks);
        var missing = Assert.Single(checks.AsArray(), check => check!["name"]!.GetValue<string>() == "bwrap")!;
        Assert.False(missing["ok"]!.GetValue<bool>());
        Assert.Equal("apt-get install bubblewrap", missing["remedy"]!.GetValue<string>());
    }

    [Fact]
    public async Task TasksInit_MakesARepositoryWhoseTemplateIsAlmostASpec()
    {
        var made = (await RunAsync("tasks", "init", "--json")).Expect(0).Json;

        CliDocument.Holds("tasks init", made);
        Assert.Equal(Path.Combine(folder, "tasks"), made["folder"]!.GetValue<string>());
        Assert.True(Directory.Exists(Path.Combine(folder, "tasks", ".git")));
        Assert.All(new[] { "in-progress", "done" }, name => Assert.True(Directory.Exists(Path.Combine(folder, "tasks", name))));
        (await RunAsync("spec", "lint", "tasks/TEMPLATE.md")).Expect(0);
        (await RunAsync("tasks", "init")).Expect(5);
    }

    [Fact]
    public async Task SpecLint_NamesFileLineAndSuggestion()
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "bad.md"), "---\nversion: 1\nrepo: a/b\ntitel: t\n---\nx\n", Token);
        var said = (await RunAsync("spec", "lint", "bad.md", "--json")).Expect(6).Json;

        CliDocument.Holds("spec lint", said);
        Assert.Contains("bad.md:4: ", (await RunAsync("spec", "lint", "bad.md")).Expect(6).Output, StringComparison.Ordinal);
        Assert.Contains("did you mean 'title'", said.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }), StringComparison.Ordinal);
        (await RunAsync("spec", "lint", "absent.md")).Expect(3);
        (await RunAsync("spec", "lint", "bad.md", "--repo", "junk")).Expect(2);
    }

    [Fact]
    public async Task Tape_ServesARecordedConversation()
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "tape.yaml"), "scripts:\n- match: { role: producer }\n  steps: [ {say: \"Hello from the tape\"} ]\n", Token);
        await using var replay = DrellaProgram.Start(folder, null, "tape", "replay", "tape.yaml", "--json");
        var serving = await replay.DocumentAsync();
        CliDocument.Holds("tape replay", serving);
        using var http = new HttpClient { BaseAddress = new Uri(serving["url"]!.GetValue<string>()) };
        var answer = await http.PostAsJsonAsync("/v1/messages", new { model = "m", max_tokens = 100, tools = new[] { new { name = "Bash" } }, messages = new[] { new { role = "user", content = "hi" } } }, Token);
        Assert.Contains("Hello from the tape", await answer.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);

        await replay.SignalAsync("INT");
        (await replay.EndAsync()).Expect(130);
        (await RunAsync("tape", "replay", "absent.yaml")).Expect(3);
        await File.WriteAllTextAsync(Path.Combine(folder, "broken.yaml"), "scripts: 7\n", Token);
        Assert.Contains("broken.yaml", (await RunAsync("tape", "replay", "broken.yaml")).Expect(2).Talk, StringComparison.Ordinal);
        var record = await DrellaProgram.RunAsync(folder, new Dictionary<string, string?> { ["ANTHROPIC_API_KEY"] = null }, "tape", "record", "--out", "t.jsonl");
        Assert.Contains("model.key_env", record.Expect(2).Talk, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Completion_CompletesVerbsAndOptionsInARealShell()
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "complete.bash"), (await RunAsync("completion", "bash")).Expect(0).Output, Token);

        Assert.Equal(["cancel", "continue"], (await CompleteAsync("drella job c")).Order());
        Assert.Contains("--follow", await CompleteAsync("drella job log --"));
        Assert.Contains("--json", await CompleteAsync("drella job ls --j"));
        Assert.Contains("doctor", await CompleteAsync("drella "));
        Assert.DoesNotContain("probe-journal-writer", await CompleteAsync("drella "));
        Assert.Contains("compdef", (await RunAsync("completion", "zsh")).Expect(0).Output, StringComparison.Ordinal);
        Assert.Contains("complete -c drella", (await RunAsync("completion", "fish")).Expect(0).Output, StringComparison.Ordinal);
        (await RunAsync("completion", "tcsh")).Expect(2);
    }

    [Fact]
    public async Task Verbs_SayThatNoDaemonRuns()
    {
        Assert.Contains("'drella up' starts one", (await RunAsync("job", "ls", "--json")).Expect(4).Talk, StringComparison.Ordinal);
        var marker = Path.Combine(Directory.CreateDirectory(Path.Combine(folder, ".drella", "run")).FullName, "daemon.json");
        foreach (var left in new[] { "{", "{}", $$"""{"url":"http://127.0.0.1:{{FactoryFixture.FreePort()}}","token":"t","pid":1}""" })
        {
            await File.WriteAllTextAsync(marker, left, Token);
            var said = (await RunAsync("job", "ls", "--json")).Expect(4);
            Assert.Contains("'drella up'", said.Talk, StringComparison.Ordinal);
            Assert.Equal("", said.Output);
        }

        (await RunAsync("verify")).Expect(3);
        (await RunAsync("backup", "copy")).Expect(3);
        (await RunAsync("jbo", "ls")).Expect(2);
    }

    [Fact]
    public async Task Up_NamesTheKeyWhenItsAddressIsTaken()
    {
        using var taken = new TcpListener(System.Net.IPAddress.Loopback, 0);
        taken.Start();
        await File.WriteAllTextAsync(Path.Combine(folder, "tape.yaml"), "scripts:\n- match: { role: producer }\n  steps: [ {say: \"x\"} ]\n", Token);
        foreach (var (key, listen, forge) in new[] { ("listen: ", taken.LocalEndpoint.ToString(), "127.0.0.1:0"), ("forge.listen: ", "127.0.0.1:0", taken.LocalEndpoint.ToString()) })
        {
            await File.WriteAllTextAsync(
                Path.Combine(folder, "drella.yaml"),
                $$"""
                version: 1
                listen: http://{{listen}}
                forge: { kind: builtin, listen: "http://{{forge}}" }
                tasks: [ { repo: factory/tasks } ]
                repositories: [ "factory/*" ]
                model: { upstream: tape, tape: tape.yaml }
                """,
                Token);
            var said = (await RunAsync("up")).Expect(2);
            Assert.StartsWith(key, said.Talk.Split('\n').Last(line => line.Contains("listened on", StringComparison.Ordinal)), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Up_LeavesAJournalOfANewerProgramAloneAndSaysSo()
    {
        var data = Path.Combine(folder, ".drella");
        using (var held = DataFolder.Open(data, TimeProvider.System))
        {
            await using var store = await SqliteJournalStore.OpenAsync(new SqliteJournalOptions { Folder = held }, TimeProvider.System, NullLogger<SqliteJournalStore>.Instance, Token);
        }

        await using (var database = new SqliteConnection($"Data Source={Path.Combine(data, "journal.db")};Pooling=False"))
        {
            await database.OpenAsync(Token);
            await using var command = database.CreateCommand();
            command.CommandText = "PRAGMA user_version = 99";
            await command.ExecuteNonQueryAsync(Token);
        }

        await File.WriteAllTextAsync(Path.Combine(folder, "drella.yaml"), "version: 1\nlisten: http://127.0.0.1:0\nmodel: { upstream: tape, tape: t.yaml }\n", Token);
        Assert.Contains("99", (await RunAsync("up")).Expect(1).Talk, StringComparison.Ordinal);
        Assert.Contains("99", (await RunAsync("verify")).Expect(6).Talk, StringComparison.Ordinal);
        var journal = (await RunAsync("doctor", "--json")).Expect(6).Json.AsArray().Single(check => check!["name"]!.GetValue<string>() == "journal")!;
        Assert.False(journal["ok"]!.GetValue<bool>());
    }

    [Fact]
    public async Task Config_IsRefusedWithEveryKeyAtOnce()
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "drella.yaml"), "version: 1\nlisten: nowhere\nqueue: { jobs: -1 }\nforgee: {}\n", Token);

        var said = (await RunAsync("up", "--json")).Expect(2);

        Assert.Equal("", said.Output);
        Assert.All(new[] { "drella.yaml", "listen", "queue.jobs", "forgee" }, word => Assert.Contains(word, said.Talk, StringComparison.Ordinal));
    }

    private Task<ProgramResult> RunAsync(params IEnumerable<string> arguments) => DrellaProgram.RunAsync(folder, arguments);

    private async Task<string[]> CompleteAsync(string line)
    {
        var words = line.Split(' ');
        var script = $$"""
            source complete.bash
            COMP_WORDS=({{string.Join(' ', words.Select(word => $"'{word}'"))}})
            COMP_CWORD={{words.Length - 1}}
            _drella
            printf '%s\n' "${COMPREPLY[@]}"
            """;
        using var bash = Process.Start(new ProcessStartInfo("bash", ["-c", script]) { WorkingDirectory = folder, RedirectStandardOutput = true })!;
        var output = await bash.StandardOutput.ReadToEndAsync(Token);
        await bash.WaitForExitAsync(Token);
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
