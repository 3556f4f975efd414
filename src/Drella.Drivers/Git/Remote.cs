using System.Text;
using System.Text.RegularExpressions;
using Drella.Core;
using Drella.Core.Forges;

namespace Drella.Drivers.Git;

/// <summary>
/// The two commands that talk to a forge. The credential goes in through the environment of that one process, bound to the forge's
/// address: it is on no command line, in no file, and is not sent anywhere else, as redirects are not followed.
/// </summary>
internal sealed partial class Remote(GitCommand git, QuarantineOptions options, string store, GitAccess access)
{
    // Old, harmless flaws of real histories on the forge; a guest's bundle gets no such leave.
    private static readonly string[] Forgiven =
    [
        "fetch.fsck.zeroPaddedFilemode=ignore", "fetch.fsck.badTimezone=ignore", "fetch.fsck.missingSpaceBeforeDate=ignore",
        "fetch.fsck.missingSpaceBeforeEmail=ignore", "fetch.fsck.badFilemode=ignore", "fetch.fsck.missingNameBeforeEmail=ignore",
        "fetch.fsck.missingEmail=ignore", "fetch.fsck.badEmail=ignore", "fetch.fsck.multipleAuthors=ignore", "fetch.fsck.gitmodulesUrl=ignore",
    ];

    public async Task FetchAsync(string branch, string into, CancellationToken cancellationToken)
    {
        RequireBranchName(branch);
        var result = await git.RunAsync(
            Call("fetch", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--no-auto-maintenance", "--quiet", "--", access.Url, $"+refs/heads/{branch}:{into}") with
            {
                Settings = Forgiven,
            },
            cancellationToken);
        if (result.ExitCode != 0)
        {
            throw Failed($"fetching '{branch}' from {access.Url}", result);
        }
    }

    public async Task PushAsync(string commit, string branch, string? expected, CancellationToken cancellationToken)
    {
        var target = $"refs/heads/{branch}";
        var lease = $"--force-with-lease={target}:{(expected is null ? "" : Plumbing.Id(expected))}";
        var result = await git.RunAsync(
            Call("push", "--porcelain", "--no-verify", "--no-signed", "--no-follow-tags", "--recurse-submodules=no", lease, "--", access.Url, $"{Plumbing.Id(commit)}:{target}"),
            cancellationToken);

        // "=" TAB from:to TAB [up to date] — or "!" and the reason when refused.
        var line = result.Text.Split('\n').FirstOrDefault(l => l.Contains($"\t{commit}:{target}\t", StringComparison.Ordinal) || l.Contains($":{target}\t", StringComparison.Ordinal));
        if (result.ExitCode == 0 && line is { Length: > 0 } && line[0] is ' ' or '+' or '*' or '=')
        {
            return;
        }

        var attempt = $"pushing {commit} to '{branch}' at {access.Url}";
        throw line is null ? Failed(attempt, result)
            : MovedElsewhere().IsMatch(line) ? new DriverException(false, $"{attempt}: {Last(line)}") { Failure = DriverFailure.Conflict }
            : new DriverException(false, $"{attempt}: {Last(line)}; {result.ErrorTail}") { Failure = DriverFailure.Forbidden };
    }

    /// <summary>Throws when the text cannot be a branch that we ask for; the rules are narrower than Git's.</summary>
    public static void RequireBranchName(string branch)
    {
        if (!BranchName().IsMatch(branch) || branch.Length > 200 || branch.Contains("..", StringComparison.Ordinal)
            || branch.Split('/').Any(p => p.EndsWith(".lock", StringComparison.OrdinalIgnoreCase) || p.EndsWith('.') || p.StartsWith('.')))
        {
            throw new InvalidOperationException("not a branch name that Git is asked for");
        }
    }

    private GitCall Call(params string[] arguments)
    {
        var authority = RequireForgeAddress(access.Url);
        var credential = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{access.User}:{access.Secret}"));
        return new GitCall(store, arguments)
        {
            Timeout = options.NetworkTimeout,
            Environment = new Dictionary<string, string>
            {
                ["GIT_ALLOW_PROTOCOL"] = "http:https",
                ["GIT_CONFIG_COUNT"] = "1",
                ["GIT_CONFIG_KEY_0"] = $"http.{authority}/.extraHeader",
                ["GIT_CONFIG_VALUE_0"] = $"Authorization: Basic {credential}",
            },
        };
    }

    private static string RequireForgeAddress(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var address) && address.Scheme is "http" or "https" && address.UserInfo.Length == 0
            && url.StartsWith("http", StringComparison.Ordinal) && !url.Any(c => char.IsControl(c) || c == ' ')
            ? address.GetLeftPart(UriPartial.Authority)
            : throw new InvalidOperationException("a forge is reached by http or https without a user in the address");

    private static DriverException Failed(string attempt, GitResult result)
    {
        var error = result.ErrorTail;
        var failure = Denied().IsMatch(error) ? DriverFailure.Forbidden
            : Absent().IsMatch(error) ? DriverFailure.NotFoundOrNoAccess
            : DriverFailure.Unavailable;
        return new DriverException(failure == DriverFailure.Unavailable, $"{attempt}: {error}") { Failure = failure };
    }

    private static string Last(string line) => line[(line.LastIndexOf('\t') + 1)..];

    [GeneratedRegex("^[A-Za-z0-9_][A-Za-z0-9_.+-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.+-]*)*\\z", RegexOptions.CultureInvariant)]
    private static partial Regex BranchName();

    [GeneratedRegex("stale info|fetch first|non-fast-forward|cannot lock ref|failed to update ref|incorrect old value|already exists|reference already|failed to lock", RegexOptions.CultureInvariant)]
    private static partial Regex MovedElsewhere();

    [GeneratedRegex("Authentication failed|could not read Username|error: 40[13]", RegexOptions.CultureInvariant)]
    private static partial Regex Denied();

    [GeneratedRegex("not found|couldn't find remote ref|error: 404", RegexOptions.CultureInvariant)]
    private static partial Regex Absent();
}
