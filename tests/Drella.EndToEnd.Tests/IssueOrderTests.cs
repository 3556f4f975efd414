using System.Text.Json.Nodes;
using Drella.Core.Jobs;

namespace Drella.EndToEnd.Tests;

/// <summary>An issue as the order: taken up, asked about, answered, implemented, merged and closed.</summary>
public sealed class IssueOrderTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Issue_IsWorkedOnAskedAboutAndClosedByTheMerge()
    {
        const string Ask =
            """
            - do:
              - { op: mcp, server: factory, tool: report_progress, args: {text: "Reading what is there.", percent: 10} }
              - { op: mcp, server: factory, tool: ask_human, args: {question: "Which word do people want?", options: ["goodbye", "farewell"]} }
            - say: "I asked."
            - expect: { prompt: {contains: "Goodbye, please."} }
              do: [ {op: shell, cmd: "true"} ]
            """;
        await using var factory = await FactoryFixture.StartAsync(Scripts.Producer(before: Ask), $"issues: [ {{ repo: {FactoryFixture.Repo} }} ]");
        var issue = await factory.Person.SendAsync(
            HttpMethod.Post, $"repos/{FactoryFixture.Repo}/issues", new { title = "Say goodbye", body = "People want to say goodbye, too." }, Token);
        var path = $"repos/{FactoryFixture.Repo}/issues/{issue["number"]}";
        factory.Daemon.Factory.Nudge();
        var asking = await factory.JobAsync(job => job is { Wait.Kind: WaitKind.Answer, Step: null } || job.Conclusion is not null);
        Assert.True(asking.Wait is not null, factory.Story());
        Assert.Null(asking.PullRequest);
        Assert.Equal(1, (await factory.Person.GetAsync(path, Token))["reactions"]!["rocket"]!.GetValue<int>());

        await factory.Person.SendAsync(HttpMethod.Post, path + "/comments", new { body = "Goodbye, please." }, Token);
        factory.Daemon.Factory.Nudge();
        var open = await factory.JobAsync(job => job is { Phase: JobPhase.InReview, Step: null } || job.Conclusion is not null);
        Assert.True(open.Conclusion is null, factory.Story());

        await factory.Person.MergeAsync(FactoryFixture.Repo, open.PullRequest!.Number, Token);
        factory.Daemon.Factory.Nudge();
        var done = await factory.JobAsync(job => job is { Conclusion: not null, Step: null });

        Assert.Equal(JobConclusion.Merged, done.Conclusion);
        Assert.Equal(("closed", "completed"), (Text(await factory.Person.GetAsync(path, Token), "state"), Text(await factory.Person.GetAsync(path, Token), "state_reason")));
        var said = (await factory.Person.GetAsync(path + "/comments", Token)).AsArray().Select(comment => Text(comment!, "body")).ToList();
        Assert.Equal(3, said.Count);
        Assert.StartsWith("**Merged. Done.**", said[0], StringComparison.Ordinal);
        Assert.Equal("Goodbye, please.", said[1]);
        Assert.Contains(open.PullRequest.Url, said[2], StringComparison.Ordinal);
    }

    private static string Text(JsonNode node, string name) => node[name]!.GetValue<string>();
}
