using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Drella.Core.Forges;
using Drella.Core.Jobs;
using Drella.Web.Api;

namespace Drella.Web.Tests;

/// <summary>What <c>docs/formats/api.md</c> shows is what is served: the same members, of the same kinds.</summary>
public sealed partial class ApiDocumentTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Examples_HaveTheMembersThatAreServed()
    {
        await using var house = await WebHouse.OpenAsync();
        var live = await house.JobAsync(null, [.. Some.AtWork("t"), .. Rich()]);
        var examples = Examples();

        var jobs = await NodeAsync(house, "/api/jobs");
        Same(examples["summary"], jobs[0]!, "summary");
        Same(examples["job"], await NodeAsync(house, $"/api/jobs/{live.Job.Id}"), "job");
        var lines = await house.Client.GetStringAsync($"/api/jobs/{live.Job.Id}/entries?after=1", Cancellation);
        Same(examples["entry"], JsonNode.Parse(lines.Split('\n')[0])!, "entry");
        Same(examples["health"], await NodeAsync(house, "/readyz"), "health");
        Assert.Equal(5, examples.Count);
    }

    [Fact]
    public void Examples_AreReadByTheTypesThatClientsUse()
    {
        var examples = Examples();

        Assert.Equal(JobPhase.Working, examples["summary"].Deserialize<JobSummary>(WebServer.Wire)!.Phase);
        Assert.Equal(Disposition.Fixed, Assert.Single(examples["job"].Deserialize<JobView>(WebServer.Wire)!.Feedback).Disposition);
        Assert.Equal("Attempt 1 begins", examples["entry"].Deserialize<EntryView>(WebServer.Wire)!.Text);
        Assert.True(examples["health"].Deserialize<HealthReport>(WebServer.Wire)!.IsWell);
    }

    private static IEnumerable<JobEntry> Rich() =>
    [
        new JobEntry.Proposed("t", "b", [new RequirementClaim("1", "done", "e")]),
        new JobEntry.VerdictGiven("validator", false, "s", [new Finding(Severity.Major, "t", "e", "a.cs", 3)]),
        new JobEntry.FeedbackReceived([new FeedbackRow { Key = "k", Kind = RemarkKind.Inline, Id = "1", Author = "ada", Body = "b", Path = "a.cs", Line = 3, NeedsWork = true }]),
        new JobEntry.ReplyProposed("k", "r", Disposition.Fixed),
        new JobEntry.FeedbackSettled("k", Disposition.Fixed, "beef"),
    ];

    private static void Same(JsonNode example, JsonNode served, string where)
    {
        switch (example, served)
        {
            case (JsonObject a, JsonObject b) when !where.EndsWith(".payload", StringComparison.Ordinal):
                Assert.True(a.Select(pair => pair.Key).SequenceEqual(b.Select(pair => pair.Key)), $"{where}: {string.Join(' ', b.Select(pair => pair.Key))}");
                foreach (var (name, value) in a)
                {
                    if (value is not null && b[name] is { } other)
                    {
                        Same(value, other, $"{where}.{name}");
                    }
                }

                break;
            case (JsonArray { Count: > 0 } a, JsonArray { Count: > 0 } b):
                Same(a[0]!, b[0]!, where + "[]");
                break;
            default:
                Assert.True(example.GetValueKind() == served.GetValueKind(), where);
                break;
        }
    }

    private static async Task<JsonNode> NodeAsync(WebHouse house, string path) => JsonNode.Parse(await house.Client.GetStringAsync(path, Cancellation))!;

    private static Dictionary<string, JsonNode> Examples([CallerFilePath] string here = "") => Block()
        .Matches(File.ReadAllText(Path.Combine(Path.GetDirectoryName(here)!, "../../docs/formats/api.md")))
        .ToDictionary(match => match.Groups["name"].Value, match => JsonNode.Parse(match.Groups["json"].Value)!);

    [GeneratedRegex("```json (?<name>\\w+)\n(?<json>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();
}
