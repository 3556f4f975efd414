using Drella.Core.Forges;
using Drella.Core.Jobs;

namespace Drella.Core.Intake;

/// <summary>Where orders come from.</summary>
/// <param name="Tasks">Tasks repositories.</param>
/// <param name="Issues">Repositories whose issues are orders.</param>
public sealed record IntakeSettings(IReadOnlyList<TasksRepo> Tasks, IReadOnlyList<IssueRepo> Issues);

/// <param name="Repo">The repository.</param>
/// <param name="DefaultTarget">Repository for specs that name none; null makes naming one a duty.</param>
public sealed record TasksRepo(RepoName Repo, RepoName? DefaultTarget);

/// <param name="Repo">The repository; also the target where the issue names none.</param>
/// <param name="Label">Only issues with this label are orders; null takes every issue of an allowed author.</param>
public sealed record IssueRepo(RepoName Repo, string? Label);

/// <summary>What names in specs stand for.</summary>
public sealed record Catalogue
{
    public required IReadOnlyDictionary<string, RoleSnapshot> Roles { get; init; }

    /// <summary>Role names in order, by pipeline name. <c>default</c> must be there.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyList<string>> Pipelines { get; init; }

    /// <summary>By profile name. <c>default</c> must be there.</summary>
    public required IReadOnlyDictionary<string, Profile> Profiles { get; init; }

    /// <summary>Agents that are installed.</summary>
    public required IReadOnlyList<string> Agents { get; init; }

    /// <summary>Budget of a job whose spec names none, millionths of a US dollar.</summary>
    public long Budget { get; init; } = 5_000_000;

    /// <summary>Largest budget that a spec may name.</summary>
    public long MaxBudget { get; init; } = 50_000_000;

    public TimeSpan WorkTimeout { get; init; } = TimeSpan.FromHours(2);

    public int MaxRounds { get; init; } = 5;
}

/// <param name="AllowedHosts">Hosts that sandboxes may reach.</param>
/// <param name="Waivers">Protected paths that may be changed.</param>
public sealed record Profile(IReadOnlyList<string> AllowedHosts, IReadOnlyList<string> Waivers);
