using System.Globalization;
using Drella.Core;
using Drella.Core.Forges;

namespace Drella.Testing.Fakes;

/// <summary>What a forge holds, and what people do there. It outlives every daemon; <see cref="FakeForge"/> is how one daemon sees it.</summary>
public sealed class FakeForgeState(FakeGit git, TimeProvider time)
{
    public const string DefaultBranch = "main";

    private readonly Dictionary<RepoName, FakeRepo> repos = [];
    private int lastId;

    /// <summary>The factory's account.</summary>
    public static Actor Self { get; } = new("1", "drella", IsBot: false);

    public FakeGit Git => git;

    public IEnumerable<FakeRepo> Repos => repos.Values;

    /// <summary>Rights of people, in every repository; whoever is absent may read.</summary>
    public Dictionary<string, Permission> Rights { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Raised after each change, as webhooks are.</summary>
    public event Action? Changed;

    /// <summary>Raised when a pull request was opened, before anybody hears of it.</summary>
    public event Action<FakePull>? PullOpened;

    /// <summary>Raised when a branch moves from one commit (null for none) to another.</summary>
    public event Action<RepoName, string, string?, string>? Moved;

    public FakeRepo? Find(RepoName repo) => repos.GetValueOrDefault(repo);

    public FakeRepo Repo(RepoName repo) =>
        Find(repo) ?? throw new DriverException(false, $"there is no {repo}") { Failure = DriverFailure.NotFoundOrNoAccess };

    public FakePull Pull(RepoName repo, int number) =>
        Repo(repo).Pulls.Find(pull => pull.Number == number)
        ?? throw new DriverException(false, $"{repo} has no pull request {number}") { Failure = DriverFailure.NotFoundOrNoAccess };

    public FakeRepo AddRepo(string name)
    {
        var repo = new FakeRepo(RepoName.Parse(name));
        repos[repo.Name] = repo;
        repo.Branches[DefaultBranch] = git.Commit(null, [KeyValuePair.Create("README.md", (string?)$"# {name}")], "Begin", "owner");
        return repo;
    }

    /// <summary>A person merges files into the default branch through a pull request; returns its number.</summary>
    public int MergeFiles(RepoName repo, string login, params KeyValuePair<string, string?>[] changes)
    {
        var where = Repo(repo);
        var commit = git.Commit(where.Branches[DefaultBranch], changes, $"Change {changes[0].Key}", login);
        where.Branches[DefaultBranch] = commit;
        var number = ++where.LastNumber;
        where.MergedBy[commit] = number;
        Change();
        return number;
    }

    public FakeIssue OpenIssue(RepoName repo, string login, string title, string body, EffectKey? key = null)
    {
        var where = Repo(repo);
        var issue = new FakeIssue(++where.LastNumber, title, body, login == Self.Login ? Self : Person(login), key);
        where.Issues.Add(issue);
        Change();
        return issue;
    }

    public FakePull OpenPull(RepoName repo, NewPullRequest request)
    {
        var where = Repo(repo);
        if (where.Pulls.Any(pull => pull.IsOpen && pull.Branch == request.HeadBranch))
        {
            throw new DriverException(false, $"a pull request for {request.HeadBranch} exists") { Failure = DriverFailure.Conflict };
        }

        if (!where.Branches.TryGetValue(request.HeadBranch, out var head) || head == where.Branches.GetValueOrDefault(request.BaseBranch))
        {
            throw new DriverException(false, $"no commits between {request.BaseBranch} and {request.HeadBranch}") { Failure = DriverFailure.Invalid };
        }

        var pull = new FakePull(repo, ++where.LastNumber, request.HeadBranch, request.BaseBranch, request.Key)
        {
            State = request.Draft ? PullRequestState.Draft : PullRequestState.Open, Title = request.Title, Body = request.Body,
        };
        where.Pulls.Add(pull);
        PullOpened?.Invoke(pull);
        Change();
        return pull;
    }

    public void Push(RepoName repo, string branch, string commit)
    {
        var branches = Repo(repo).Branches;
        Moved?.Invoke(repo, branch, branches.GetValueOrDefault(branch), commit);
        branches[branch] = commit;
        Change();
    }

    /// <summary>A person merges: the branch's changes come onto the base as one commit.</summary>
    public void Merge(FakePull pull, string login)
    {
        var where = Repo(pull.Repo);
        var into = where.Branches[pull.Base];
        var known = git.History(into).Select(commit => commit.Id).ToHashSet();
        var fork = git.History(where.Branches[pull.Branch]).First(commit => known.Contains(commit.Id)).Id;
        pull.MergeCommit = git.Commit(into, git.Differences(fork, where.Branches[pull.Branch]), $"Merge #{pull.Number}", login);
        where.Branches[pull.Base] = pull.MergeCommit;
        pull.MergedHead = where.Branches[pull.Branch];
        pull.State = PullRequestState.Merged;
        pull.MergedBy = Person(login);
        Change();
    }

    public void SetState(FakePull pull, PullRequestState state)
    {
        pull.State = state;
        Change();
    }

    /// <summary>Somebody says something; returns it.</summary>
    public FakeRemark Say(RepoName repo, int number, Actor author, RemarkKind kind, string body, EffectKey? key = null, ReviewVerdict? verdict = null, string? thread = null)
    {
        var id = (++lastId).ToString(CultureInfo.InvariantCulture);
        var remark = new FakeRemark(repo, number, kind, id, author, body, time.GetUtcNow(), key, verdict, kind == RemarkKind.Inline ? thread ?? id : null);
        Repo(repo).Remarks.Add(remark);
        Change();
        return remark;
    }

    public Actor Person(string login) => new("person-" + login, login, IsBot: login.EndsWith("[bot]", StringComparison.Ordinal));

    public void Change() => Changed?.Invoke();
}

/// <summary>One repository.</summary>
public sealed class FakeRepo(RepoName name)
{
    public RepoName Name => name;

    public int LastNumber { get; set; }

    public Dictionary<string, string> Branches { get; } = [];

    /// <summary>Pull request that brought a commit to the default branch.</summary>
    public Dictionary<string, int> MergedBy { get; } = [];

    public List<FakePull> Pulls { get; } = [];

    public List<FakeIssue> Issues { get; } = [];

    public List<FakeRemark> Remarks { get; } = [];

    public HashSet<string> ResolvedThreads { get; } = [];

    public HashSet<(ReactionTarget Target, Reaction Reaction)> Reactions { get; } = [];
}

public sealed class FakePull(RepoName repo, int number, string branch, string baseBranch, EffectKey key)
{
    public RepoName Repo => repo;

    public int Number => number;

    public string Branch => branch;

    public string Base => baseBranch;

    public EffectKey Key => key;

    public PullRequestState State { get; set; }

    /// <summary>A person opened it again: that it is open is not the factory's doing.</summary>
    public bool IsReopened { get; set; }

    public bool IsOpen => State is PullRequestState.Draft or PullRequestState.Open;

    public required string Title { get; set; }

    public required string Body { get; set; }

    public string? MergeCommit { get; set; }

    /// <summary>Head of the branch when it was merged.</summary>
    public string? MergedHead { get; set; }

    public Actor? MergedBy { get; set; }
}

public sealed class FakeIssue(int number, string title, string body, Actor author, EffectKey? key)
{
    public int Number => number;

    public string Title => title;

    public string Body { get; set; } = body;

    public Actor Author => author;

    public EffectKey? Key => key;

    public bool IsOpen { get; set; } = true;
}

public sealed record FakeRemark(
    RepoName Repo, int Number, RemarkKind Kind, string Id, Actor Author, string Body, DateTimeOffset At, EffectKey? Key, ReviewVerdict? Verdict, string? Thread)
{
    public string Body { get; set; } = Body;
}
