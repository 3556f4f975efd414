using System.Text.Json;
using Drella.Core.Agents;

namespace Drella.Drivers.Tests.Agents;

/// <summary>The examples of docs/formats are true.</summary>
public sealed class FormatDocumentTests
{
    [Fact]
    public void Transcript_ExamplesAreEventsOfEveryKind()
    {
        var lines = Blocks("transcript.md", "jsonl").Single().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var events = lines.Select(AgentEventJson.Read).ToList();

        Assert.Equal(lines, events.Select(AgentEventJson.Write));
        var kinds = typeof(AgentEvent).GetNestedTypes().Where(type => type.IsSubclassOf(typeof(AgentEvent))).Select(type => type.Name);
        Assert.Equal(kinds.Order(), events.Select(happened => happened.GetType().Name).Distinct().Order());
    }

    [Theory]
    [InlineData("""{"event":"text"}""")]
    [InlineData("""{"event":"brand_new"}""")]
    [InlineData("{}")]
    [InlineData("null")]
    public void Transcript_RefusesWhatIsNoEvent(string json) => Assert.Throws<JsonException>(() => AgentEventJson.Read(json));

    [Fact]
    public async Task StubAgent_ExamplesAreAcceptedByTheProgram()
    {
        var scripts = Blocks("stub-agent.md", "json").Where(script => !script.Contains("\"hang\"", StringComparison.Ordinal)).ToList();
        Assert.Equal(2, scripts.Count);
        foreach (var script in scripts)
        {
            using var sandbox = new HostSandbox(AppContext.BaseDirectory);
            var file = Path.Combine(sandbox.Home, "script.json");
            await File.WriteAllTextAsync(file, script, TestContext.Current.CancellationToken);
            var runner = new Drella.Drivers.Processes.ProcessRunner(TimeProvider.System);
            await runner.RunCheckedAsync(
                new()
                {
                    Program = Path.Combine(AppContext.BaseDirectory, "drella-stub-agent"),
                    Arguments = ["--script", file],
                    WorkingFolder = sandbox.Workspace,
                    MaxOutput = 100 << 20,
                },
                TestContext.Current.CancellationToken);
        }
    }

    private static List<string> Blocks(string document, string language)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Drella.slnx")))
        {
            folder = folder.Parent ?? throw new DirectoryNotFoundException("Drella.slnx");
        }

        var text = File.ReadAllText(Path.Combine(folder.FullName, "docs", "formats", document));
        return [.. text.Split("```").Where((_, i) => i % 2 == 1).Where(block => block.StartsWith(language + "\n", StringComparison.Ordinal))
            .Select(block => block[(language.Length + 1)..])];
    }
}
