using Drella.Core.Forges;
using Drella.Drivers.Forges.GitHub.Wire;
using static Drella.Drivers.Forges.GitHub.UrlFormat;

namespace Drella.Drivers.Forges.GitHub;

// Where the people behind an order are talked to.
public sealed partial class GitHubForge
{
    public async Task<int?> PullRequestOfCommitAsync(RepoName repo, string commit, CancellationToken cancellationToken)
    {
        var pulls = await _api.ListAsync<WirePull>(repo, Url($"/repos/{repo}/commits/{commit}/pulls?per_page=100"), cancellationToken);
        return pulls.Count == 0 ? null : pulls.Max(pull => pull.Number);
    }

    public async Task<int> OpenIssueAsync(RepoName repo, string title, string body, EffectKey key, CancellationToken cancellationToken)
    {
        var me = await MeAsync(cancellationToken);
        var ours = (await OpenIssuesAsync(repo, cancellationToken)).FirstOrDefault(issue => issue.Author.Id == me.Id && Marker.KeyOf(issue.Body) == key);
        if (ours is not null)
        {
            return ours.Number;
        }

        var made = await _api.WriteAsync<WireNewIssue, WireIssue>(
            HttpMethod.Post, repo, Url($"/repos/{repo}/issues"), new WireNewIssue(title, Marker.Append(body, key)), cancellationToken);
        return Convert.Issue(made).Number;
    }
}
