namespace Drella.Forge.Rendering;

/// <summary>The one place that knows how addresses are built. <c>Web</c> is for people and Git, <c>Api</c> for REST; neither ends in a slash.</summary>
internal sealed record Urls(string Web, string Api)
{
    public string UserApi(string login) => $"{Api}/users/{Uri.EscapeDataString(login)}";

    public string UserWeb(string login) => $"{Web}/{Uri.EscapeDataString(login)}";

    public string RepoApi(string fullName) => $"{Api}/repos/{fullName}";

    public string RepoWeb(string fullName) => $"{Web}/{fullName}";

    public string CloneUrl(string fullName) => $"{Web}/{fullName}.git";

    public string IssueApi(string fullName, int number) => $"{RepoApi(fullName)}/issues/{number}";

    public string IssueWeb(string fullName, int number, bool isPull) => $"{RepoWeb(fullName)}/{(isPull ? "pull" : "issues")}/{number}";

    public string PullApi(string fullName, int number) => $"{RepoApi(fullName)}/pulls/{number}";

    public string PullWeb(string fullName, int number) => IssueWeb(fullName, number, isPull: true);

    public string CommitApi(string fullName, string sha) => $"{RepoApi(fullName)}/commits/{sha}";

    public string CommitWeb(string fullName, string sha) => $"{RepoWeb(fullName)}/commit/{sha}";

    public string GitApi(string fullName, string kind, string sha) => $"{RepoApi(fullName)}/git/{kind}/{sha}";

    public string BlobWeb(string fullName, string revision, string path) => $"{RepoWeb(fullName)}/blob/{revision}/{EscapePath(path)}";

    public string RawWeb(string fullName, string revision, string path) => $"{RepoWeb(fullName)}/raw/{revision}/{EscapePath(path)}";

    public string ContentsApi(string fullName, string path, string revision) =>
        $"{RepoApi(fullName)}/contents/{EscapePath(path)}?ref={Uri.EscapeDataString(revision)}";

    public string Documentation => $"{Web}/";

    public static string EscapePath(string path) => string.Join('/', path.Split('/').Select(Uri.EscapeDataString));
}
