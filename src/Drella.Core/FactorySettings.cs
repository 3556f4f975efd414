using System.Text.RegularExpressions;
using Drella.Core.Forges;
using Drella.Core.PullRequests;
using Drella.Core.Sandboxes;

namespace Drella.Core;

/// <summary>What the operator decided for the whole factory; read from <c>drella.yaml</c> by the composition root.</summary>
public sealed record FactorySettings
{
    /// <summary>Who commits and pushes.</summary>
    public required Identity Identity { get; init; }

    /// <summary>Repositories that may be changed: <c>owner/name</c>, <c>*</c> for any run of characters in one part. Empty allows none.</summary>
    public required IReadOnlyList<string> AllowedRepos { get; init; }

    /// <summary>Beginning of every branch that the factory makes.</summary>
    public string BranchPrefix { get; init; } = "drella/";

    public SandboxLimits Limits { get; init; } = SandboxLimits.Default;

    /// <summary>Most time of an agent with neither output nor model traffic.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Cap on one model answer, tokens.</summary>
    public int MaxOutputTokens { get; init; } = 32_000;

    /// <summary>How long the sandbox of a job that failed is kept for a look.</summary>
    public TimeSpan KeepFailed { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Most sandboxes that are kept so; the longest kept one goes first.</summary>
    public int MaxKeptFailed { get; init; } = 10;

    /// <summary>Only remarks that mention us start a round.</summary>
    public bool RequireMention { get; init; }

    /// <summary>Where people see jobs; null when the dashboard is off.</summary>
    public string? DashboardUrl { get; init; }

    /// <summary>True when the repository may be changed by this factory.</summary>
    public bool Allows(RepoName repo) => AllowedRepos.Any(pattern => Regex.IsMatch(
        repo.ToString(), "^" + Regex.Escape(pattern).Replace("\\*", "[^/]*", StringComparison.Ordinal) + "$", RegexOptions.IgnoreCase | RegexOptions.NonBacktracking));
}
