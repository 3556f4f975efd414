namespace Drella.Forge.Rest;

/// <summary>The API's table of contents. Paths are GitHub's; each family lives in the file of its name.</summary>
internal sealed class RestMap(
    AccountEndpoints accounts, RepositoryEndpoints repositories, GitDatabaseEndpoints gitDatabase, ContentEndpoints contents, CommitEndpoints commits,
    IssueEndpoints issues, LabelEndpoints labels, PullEndpoints pulls, ReviewEndpoints reviews, CheckEndpoints checks, HookEndpoints hooks)
{
    public const string Repo = "/repos/{owner}/{repo}";

    public void Map(RestEdge api)
    {
        accounts.Map(api);
        repositories.Map(api);
        gitDatabase.Map(api);
        contents.Map(api);
        commits.Map(api);
        issues.Map(api);
        labels.Map(api);
        pulls.Map(api);
        reviews.Map(api);
        checks.Map(api);
        hooks.Map(api);
    }
}
