using System.Text.Json.Nodes;
using Drella.Core.Jobs;
using Drella.Daemon;

namespace Drella.EndToEnd.Tests;

/// <summary>One daemon for all bad specs, and what a test asks of it after each.</summary>
public sealed class BadSpecHouse : IAsyncLifetime
{
    private int good;

    internal FactoryFixture Factory { get; private set; } = null!;

    internal TasksClone Clone { get; private set; } = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Factory = await FactoryFixture.StartAsync(Scripts.Producer());
        Clone = await TasksClone.OpenAsync(Factory.Daemon.Builtin!.Url, FactoryFixture.Tasks, BuiltinForge.Human, Factory.Daemon.Builtin.HumanToken, Token);
    }

    public async ValueTask DisposeAsync()
    {
        Clone.Dispose();
        await Factory.DisposeAsync();
    }

    /// <summary>A spec that is taken up and then waits for one that never comes, so that no agent is needed to see it.</summary>
    internal static string Waiting(string more = "", string title = "Wait") =>
        $"---\nversion: 1\nrepo: {FactoryFixture.Repo}\ntitle: {title}\ndepends_on: [never]\n{more}---\nWait.\n";

    internal async Task PushAsync(params IReadOnlyList<PushedFile> files)
    {
        await Clone.PushAsync(Token, files);
        Factory.Daemon.Factory.Nudge();
    }

    /// <summary>Waits for the issue in which the factory says why it refused, and returns its text.</summary>
    internal async Task<string> RefusalAsync(string name)
    {
        var found = await Factory.PollAsync(async () => await RefusalsAsync(name) is [var first, ..] ? first : null);
        return found["body"]!.GetValue<string>();
    }

    internal async Task<IReadOnlyList<JsonNode>> RefusalsAsync(string name) =>
    [
        .. (await Factory.Person.GetAsync($"repos/{FactoryFixture.Tasks}/issues?state=all&per_page=100", Token)).AsArray().OfType<JsonNode>()
            .Where(issue => issue["title"]!.GetValue<string>() == $"The spec '{name}' was refused"),
    ];

    /// <summary>Proves that the daemon is alive and takes up a good spec, and that it said its refusal once.</summary>
    internal async Task TakesUpAGoodSpecAsync(string? refused = null)
    {
        var name = $"good-{++good}";
        await PushAsync(PushedFile.Spec(name, Waiting()));

        var job = await Factory.JobAsync(job => job.Request.Source.Name == name);

        Assert.Equal(JobPhase.Queued, job.Phase);
        Assert.False(Factory.HasStopped, Factory.Story());
        if (refused is not null)
        {
            Assert.Single(await RefusalsAsync(refused));
        }
    }

    internal IReadOnlyList<Job> Jobs(string name) => [.. Factory.Daemon.Core.Jobs.All.Select(live => live.Job).Where(job => job.Request.Source.Name == name)];
}
