using System.Text.Json.Nodes;
using Drella.Configuration;
using Drella.Core.Forges;
using Drella.Daemon;
using Drella.Demo;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drella.EndToEnd.Tests.Verbs;

/// <summary><c>drella up</c> as a process, with a tape that plays another part for each title, each with a file of its own: what one test merges is there for the next.</summary>
public sealed class RunningFactory : IAsyncLifetime
{
    private const string Tape =
        """
        defaults: { usage: {in: 2000, out: 100} }
        scripts:
        - match: { role: producer, title: "farewell" }
          steps:
          - do: [ {op: shell, cmd: "cd ${ws} && echo goodbye > farewell.txt && git add -A && (git commit -q -m 'Say goodbye' || true)"} ]
          - do: [ {op: mcp, server: factory, tool: open_pr, args: {title: "Say goodbye", body: "A farewell."}} ]
          - say: "Done."
        - match: { role: producer, title: "question" }
          steps:
          - do: [ {op: mcp, server: factory, tool: ask_human, args: {question: "In which language?", options: ["English", "German"]}} ]
          - say: "I wait."
          - expect: { prompt: {contains: "German"} }
            do: [ {op: shell, cmd: "cd ${ws} && echo tschuess > farewell.txt && git add -A && git commit -q -m 'Say goodbye'"} ]
          - do: [ {op: mcp, server: factory, tool: open_pr, args: {title: "Say goodbye", body: "A farewell."}} ]
          - say: "Done."
        - match: { role: producer, title: "costly" }
          steps:
          - { usage: {in: 100000, out: 20000}, do: [ {op: shell, cmd: "cd ${ws} && echo dear > costly.txt && git add -A && (git commit -q -m 'Say what it costs' || true)"} ] }
          - { usage: {in: 100000, out: 20000}, do: [ {op: mcp, server: factory, tool: open_pr, args: {title: "Say what it costs", body: "A price."}} ] }
          - say: "Done."
        - match: { role: producer, title: "endless" }
          steps:
          - do: [ {op: shell, cmd: "tail -f /dev/null"} ]
          - say: "Never."
        """;

    private DrellaProgram? daemon;

    public string Folder { get; } = Directory.CreateTempSubdirectory("drella-").FullName;

    internal DrellaProgram Daemon => daemon!;

    /// <summary>What <c>up --json</c> said once it served.</summary>
    internal JsonNode Serving { get; private set; } = null!;

    internal ForgePerson Person { get; private set; } = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var forge = $"http://127.0.0.1:{FactoryFixture.FreePort()}";
        await File.WriteAllTextAsync(Path.Combine(Folder, "tape.yaml"), Tape, Token);
        await File.WriteAllTextAsync(
            Path.Combine(Folder, "drella.yaml"),
            $$"""
            version: 1
            data: data
            listen: http://127.0.0.1:0
            poll_interval: 500ms
            forge: { kind: builtin, listen: "{{forge}}" }
            tasks: [ { repo: {{FactoryFixture.Tasks}} } ]
            repositories: [ "factory/*" ]
            queue: { jobs: 6, per_repository: 6, per_author: 6 }
            model: { upstream: tape, tape: tape.yaml }
            """,
            Token);
        await MakeTargetAsync(forge);
        daemon = DrellaProgram.Start(Folder, null, "up", "--json");
        Serving = await daemon.DocumentAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (daemon is not null)
        {
            await daemon.SignalAsync("TERM");
            await daemon.EndAsync();
            await daemon.DisposeAsync();
        }

        Person?.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    internal Task<ProgramResult> RunAsync(params IEnumerable<string> arguments) => DrellaProgram.RunAsync(Folder, arguments);

    /// <summary>Writes a spec whose title chooses the tape's part.</summary>
    internal async Task<string> SpecAsync(string title, string budget = "5.00")
    {
        var file = Path.Combine(Folder, $"{Guid.CreateVersion7():N}.md");
        await File.WriteAllTextAsync(file, Scripts.Spec(title, budget), Token);
        return file;
    }

    /// <summary>Hands in a spec; the job's id.</summary>
    internal async Task<string> JobAsync(string title, string budget = "5.00") =>
        (await RunAsync("run", await SpecAsync(title, budget), "--json")).Expect(0).Json["job"]!.GetValue<string>();

    /// <summary>Waits until the job's summary is so; a job that ended otherwise fails with its reason.</summary>
    internal async Task<JsonNode> UntilAsync(string job, Func<JsonNode, bool> isThere)
    {
        JsonNode? last = null;
        return await UntilAsync($"job {job} comes to be so", async () =>
        {
            last = (await RunAsync("job", "show", job, "--json")).Expect(0).Json["summary"]!;
            if (isThere(last))
            {
                return last;
            }

            Assert.True(last["conclusion"] is null || last["step"] is not null, last.ToJsonString());
            return null;
        });
    }

    private static async Task<T> UntilAsync<T>(string what, Func<Task<T?>> look)
        where T : class
    {
        for (var i = 0; i < 300; i++)
        {
            if (await look() is { } found)
            {
                return found;
            }

            await Task.Delay(100, Token);
        }

        throw new TimeoutException($"it never happened that {what}");
    }

    private async Task MakeTargetAsync(string forge)
    {
        var config = ConfigLoader.Load(Path.Combine(Folder, "drella.yaml"), isOptional: false).Config!;
        Directory.CreateDirectory(config.DataFolder);
        await using var built = await BuiltinForge.StartAsync(config, new SecretFolder(config.DataFolder), TimeProvider.System, NullLoggerFactory.Instance, Token);
        var root = FactoryFixture.Shipped("target");
        var files = Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).ToDictionary(file => Path.GetRelativePath(root, file), File.ReadAllText);
        await BuiltinForge.EnsureRepositoryAsync(built.Admin, RepoName.Parse(FactoryFixture.Repo), files, Token);
        Person = new ForgePerson(new Uri(forge), built.HumanToken);
    }
}
