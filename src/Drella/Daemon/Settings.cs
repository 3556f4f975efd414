using Drella.Configuration;
using Drella.Core;
using Drella.Core.Forges;
using Drella.Core.Intake;
using Drella.Core.Jobs;
using Drella.Core.PullRequests;
using Drella.Core.Sandboxes;

namespace Drella.Daemon;

/// <summary>Turns the configuration file into what the core takes. Pure but for the roles it is given.</summary>
internal static class Settings
{
    /// <summary>How many times as long the deadlines of agents are where sandboxes are emulated.</summary>
    private const int Patience = 4;

    public static FactorySettings Factory(DrellaConfig config, string? dashboardUrl, bool isSlow) => new()
    {
        Identity = new Identity(config.IdentityName, config.IdentityEmail),
        AllowedRepos = config.Repositories,
        Limits = Limits(config.Sandbox),
        IdleTimeout = config.IdleTimeout * (isSlow ? Patience : 1),
        MaxOutputTokens = config.Model.MaxOutputTokens,
        KeepFailed = config.Sandbox.KeepFailed,
        RequireMention = config.RequireMention,
        DashboardUrl = dashboardUrl,
    };

    public static SandboxLimits Limits(SandboxConfig sandbox) =>
        new(sandbox.MemoryBytes, sandbox.DiskBytes, sandbox.Processes, sandbox.Cpus, sandbox.Lifetime);

    public static IntakeSettings Intake(DrellaConfig config) => new(
        [.. config.Tasks.Select(tasks => new TasksRepo(RepoName.Parse(tasks.Repo), tasks.DefaultTarget is { } target ? RepoName.Parse(target) : null))],
        [.. config.Issues.Select(issues => new IssueRepo(RepoName.Parse(issues.Repo), issues.Label))]);

    public static QueueCaps Caps(DrellaConfig config) => new(config.MaxJobs, config.MaxJobsPerRepository, config.MaxJobsPerAuthor);

    public static Rhythm Rhythm(DrellaConfig config) => Core.Rhythm.Default with { Intake = config.PollInterval, Reviews = config.PollInterval };

    /// <summary>Resolves names; what does not resolve goes to <paramref name="problems"/>.</summary>
    public static Catalogue Catalogue(DrellaConfig config, IReadOnlyDictionary<string, RoleSnapshot> roles, IReadOnlyList<string> agents, bool isSlow, List<string> problems)
    {
        foreach (var (pipeline, names) in config.Pipelines)
        {
            problems.AddRange(names.Where(name => !roles.ContainsKey(name)).Select(name => $"pipelines.{pipeline}: there is no role '{name}'; there are {string.Join(", ", roles.Keys.Order(StringComparer.Ordinal))}"));
            if (names.Count > 0 && roles.GetValueOrDefault(names[0]) is { MayEdit: false })
            {
                problems.Add($"pipelines.{pipeline}: the first role must be one that may edit, and '{names[0]}' may not");
            }
        }

        problems.AddRange(roles.Values.Where(role => !agents.Contains(role.Agent)).Select(role => $"the role '{role.Name}' wants the agent '{role.Agent}'; there are {string.Join(", ", agents)}"));
        return new Catalogue
        {
            Roles = roles,
            Pipelines = config.Pipelines,
            Profiles = config.Profiles.ToDictionary(profile => profile.Key, profile => new Profile(profile.Value.AllowedHosts, profile.Value.Waivers)),
            Agents = agents,
            Budget = (long)(config.JobBudget * 1_000_000),
            MaxBudget = (long)(config.MaxJobBudget * 1_000_000),
            WorkTimeout = config.WorkTimeout * (isSlow ? Patience : 1),
            MaxRounds = config.MaxRounds,
        };
    }
}
