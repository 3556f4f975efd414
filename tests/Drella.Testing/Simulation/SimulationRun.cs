using System.Security.Cryptography;
using Drella.Core.Forges;
using Drella.Core.Jobs;
using Drella.Core.Journal;
using Drella.Testing.Fakes;

namespace Drella.Testing.Simulation;

/// <summary>What came of one seed.</summary>
/// <param name="Seed">The seed.</param>
/// <param name="Problems">Properties that did not hold; empty when all is well.</param>
/// <param name="History">Digest of every journal entry there is: the same seed gives the same.</param>
/// <param name="Entries">Entries in the journal.</param>
/// <param name="Lives">Daemons it took.</param>
/// <param name="Ends">How the jobs ended.</param>
public sealed record SimulationResult(int Seed, IReadOnlyList<string> Problems, string History, int Entries, int Lives, IReadOnlyList<JobConclusion> Ends);

/// <summary>The whole factory, from one seed: specs, people and faults drawn from it, run until nothing is left to do, then checked.</summary>
public sealed class SimulationRun : IDisposable
{
    private static readonly TimeSpan Longest = TimeSpan.FromHours(30);

    private readonly int seed;
    private readonly Random random;
    private readonly FaultPlan plan;
    private readonly People people;
    private readonly Checks checks;

    private SimulationRun(int seed)
    {
        this.seed = seed;
        random = new Random(seed);
        plan = new FaultPlan(random, House.Time);
        people = new People(House, random, plan);
        checks = new Checks(House, people);
        House.Fate = plan.FateOf;
        House.Latency = plan.LatencyOf;
        House.Journal.Fate = plan.FateOf;
        House.Agent = new MoodyAgent(random, plan).PlayAsync;
        House.Forge.Changed += Webhook;
        House.RestartDelay = TimeSpan.FromSeconds(random.Next(1, 120));
    }

    private FactoryHouse House { get; } = new();

    /// <summary>Runs one seed to its end. Never throws for what the factory does wrong: that is in the result.</summary>
    /// <param name="seed">Decides everything.</param>
    /// <param name="tell">Takes the history, line by line, for a person who looks into a seed; null for none.</param>
    public static SimulationResult Run(int seed, Action<string>? tell = null)
    {
        using var run = new SimulationRun(seed);
        var result = run.Run();
        if (tell is not null)
        {
            run.Tell(tell);
        }

        return result;
    }

    public void Dispose() => House.Dispose();

    private SimulationResult Run()
    {
        House.Start();
        people.Begin();
        var isOver = House.RunUntil(() => plan.IsCalm && people.HaveOrdered && House.Jobs.All(live => live.Job is { Conclusion: not null, Step: null }), Longest);
        if (isOver)
        {
            // Time for the last words, and for the sandboxes that were kept for a look.
            House.RunFor(TimeSpan.FromHours(2));
        }

        checks.CheckEnd(isOver);
        var entries = Entries();
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        entries.ForEach(entry => digest.AppendData(entry.Hash.Span));
        return new SimulationResult(
            seed, checks.Problems, Convert.ToHexStringLower(digest.GetHashAndReset()), entries.Count, House.Lives,
            [.. House.Jobs.Select(live => live.Job.Conclusion).OfType<JobConclusion>()]);
    }

    private void Tell(Action<string> tell)
    {
        var lines = Entries()
            .Select(entry => (entry.At, Text: $"{entry.Stream} {entry.Sequence} {entry.Kind} {System.Text.Encoding.UTF8.GetString(entry.Payload.Span)}"))
            .Concat(House.Forge.Repos.SelectMany(repo => repo.Remarks).Select(remark => (remark.At, Text: $"{remark.Repo}#{remark.Number} {remark.Author.Login}: {remark.Kind} {remark.Id} {remark.Key}")));
        foreach (var (at, text) in lines.OrderBy(line => line.At))
        {
            tell($"{at:dd HH:mm:ss.fff} {(text.Length <= 300 ? text : text[..300] + "…")}");
        }
    }

    private List<Entry> Entries() => House.Journal.ReadAllAsync("", CancellationToken.None).ToBlockingEnumerable().ToList();

    // Lost, late, or twice: a webhook only wakes the poll.
    private void Webhook()
    {
        for (var copies = random.NextDouble() < plan.WebhookLoss ? 0 : random.Next(1, 3); copies > 0; copies--)
        {
            House.After(TimeSpan.FromSeconds(random.NextDouble() * 90), () =>
            {
                if (!House.Life.IsOver)
                {
                    House.Factory.Nudge();
                }
            });
        }
    }
}
