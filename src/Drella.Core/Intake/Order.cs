using Drella.Core.Jobs;
using Drella.Core.Specs;

namespace Drella.Core.Intake;

/// <summary>Resolves a spec into a job's request, or says why it cannot be. Pure.</summary>
public static class Order
{
    public static OrderResult Resolve(Spec spec, SourceRef source, string baseBranch, IReadOnlyList<string> dependsOn, Catalogue catalogue)
    {
        var problems = new List<Problem>();
        if (spec.OpenQuestions.Count > 0)
        {
            problems.AddRange(spec.OpenQuestions.Select(question => new Problem(
                question.Line, $"the open question is not resolved: {question.What}", "answer it in the spec and tick it with [x], or take it out")));
        }

        var pipeline = spec.Pipeline ?? "default";
        if (!catalogue.Pipelines.TryGetValue(pipeline, out var roles))
        {
            problems.Add(Unknown("pipeline", pipeline, catalogue.Pipelines.Keys));
        }

        if (!catalogue.Profiles.TryGetValue(spec.Profile ?? "default", out var profile))
        {
            problems.Add(Unknown("profile", spec.Profile!, catalogue.Profiles.Keys));
        }

        if (spec.Agent is { } agent && !catalogue.Agents.Contains(agent))
        {
            problems.Add(Unknown("agent", agent, catalogue.Agents));
        }

        if (spec.Budget > catalogue.MaxBudget)
        {
            problems.Add(new Problem(1, $"the budget is above the {PullRequests.PullRequestText.Money(catalogue.MaxBudget)} that one job may spend here", "ask the operator, or split the spec"));
        }

        if (problems.Count > 0)
        {
            return new OrderResult(null, problems);
        }

        return new OrderResult(
            new JobRequest
            {
                Source = source,
                Title = spec.Title,
                Text = spec.Body,
                AcceptanceCriteria = spec.AcceptanceCriteria,
                Repo = spec.Repo.ToString(),
                Base = baseBranch,
                Pipeline = [.. roles!.Select(name => catalogue.Roles[name]).Select(role => spec.Agent is null ? role : role with { Agent = spec.Agent })],
                Profile = spec.Profile ?? "default",
                AllowedHosts = profile!.AllowedHosts,
                Waivers = profile.Waivers,
                Priority = spec.Priority,
                Budget = spec.Budget ?? catalogue.Budget,
                DependsOn = dependsOn,
                WorkTimeout = spec.Timeout ?? catalogue.WorkTimeout,
                MaxRounds = catalogue.MaxRounds,
            },
            []);
    }

    private static Problem Unknown(string what, string name, IEnumerable<string> known) =>
        new(1, $"the {what} '{name}' is not known here", $"there are: {string.Join(", ", known.Order(StringComparer.Ordinal))}");
}

/// <summary>A request, or why there is none.</summary>
public sealed record OrderResult(JobRequest? Request, IReadOnlyList<Problem> Problems);
