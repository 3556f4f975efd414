using Drella.Core.Forges;
using Drella.Drivers.Forges.GitHub.Wire;
using static Drella.Drivers.Forges.GitHub.UrlFormat;

namespace Drella.Drivers.Forges.GitHub;

public sealed partial class GitHubForge
{
    // GitHub refuses longer ones.
    private const int MaxStatusDescription = 140;

    public async Task<IReadOnlyList<CheckState>> ChecksAsync(RepoName repo, string commit, CancellationToken cancellationToken)
    {
        var runs = await _api.PagesAsync<WireCheckRuns>(repo, Url($"/repos/{repo}/commits/{commit}/check-runs?filter=latest&per_page=100"), cancellationToken)
            .SelectMany(p => (p.CheckRuns ?? []).OfType<WireCheckRun>()).ToListAsync(cancellationToken);

        // The combined state is not used: it says "pending" when there is no status at all.
        var statuses = await _api.PagesAsync<WireCombinedStatus>(repo, Url($"/repos/{repo}/commits/{commit}/status?per_page=100"), cancellationToken)
            .SelectMany(p => (p.Statuses ?? []).OfType<WireStatus>()).ToListAsync(cancellationToken);
        return [.. runs.Select(Convert.Check), .. statuses.Select(Convert.Status)];
    }

    public Task SetStatusAsync(RepoName repo, string commit, StatusReport status, CancellationToken cancellationToken)
    {
        var state = status.Outcome switch
        {
            CheckOutcome.Passed => "success",
            CheckOutcome.Failed => "failure",
            _ => "pending",
        };
        return _api.WriteAsync(
            HttpMethod.Post, repo, Url($"/repos/{repo}/statuses/{commit}"),
            new WireNewStatus(state, status.TargetUrl, Plain.Line(status.Description, MaxStatusDescription), status.Context), cancellationToken);
    }
}
