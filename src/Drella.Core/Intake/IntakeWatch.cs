using System.Security.Cryptography;
using System.Text;
using Drella.Core.Forges;
using Drella.Core.Jobs;
using Drella.Core.Specs;
using Microsoft.Extensions.Logging;

namespace Drella.Core.Intake;

/// <summary>
/// The loop that looks for orders: specs merged into <c>in-progress/</c>, and issues by people who may write. It reads what is there and
/// opens what is missing; seeing the same twice does nothing.
/// </summary>
internal sealed partial class IntakeWatch(
    JobShelf shelf, RefusalBook refusals, IForge forge, IntakeSettings intake, Catalogue catalogue, FactorySettings settings, ILogger<IntakeWatch> logger)
{
    private const string SymbolicLink = "120000";

    private readonly Dictionary<RepoName, string> seenHeads = [];
    private readonly Dictionary<string, string> seenIssues = [];

    /// <summary>One look everywhere. A forge that fails in one place does not keep the others from being looked at.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        foreach (var tasks in intake.Tasks)
        {
            await GuardAsync(tasks.Repo, () => LookAtSpecsAsync(tasks, cancellationToken));
        }

        foreach (var issues in intake.Issues)
        {
            await GuardAsync(issues.Repo, () => LookAtIssuesAsync(issues, cancellationToken));
        }

        await SupersedeAsync(cancellationToken);
    }

    /// <summary>Resolves a spec that no tasks repository holds. Its text is its revision: the same text is the same job.</summary>
    public async Task<OrderResult> ResolveLocalAsync(Spec spec, string text, string author, CancellationToken cancellationToken)
    {
        if (!settings.Allows(spec.Repo))
        {
            return new OrderResult(null, [new Problem(1, $"this factory may not change '{spec.Repo}'", "add it to 'repositories' in drella.yaml")]);
        }

        var target = await forge.RepoAsync(spec.Repo, cancellationToken);
        var name = PullRequests.BranchName.Slug(spec.Title);
        var source = new SourceRef(forge.Name, spec.Repo.ToString(), SourceKind.Local, name, Revision(text), null, author, null, null);
        return Order.Resolve(spec, source, spec.Base ?? target.DefaultBranch, [], catalogue);
    }

    private static string Revision(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..40];

    private async Task GuardAsync(RepoName repo, Func<Task> look)
    {
        try
        {
            await look();
        }
        catch (DriverException error)
        {
            LogUnseen(error, repo.ToString());
        }
    }

    private async Task LookAtSpecsAsync(TasksRepo tasks, CancellationToken cancellationToken)
    {
        var branch = (await forge.RepoAsync(tasks.Repo, cancellationToken)).DefaultBranch;
        if (await forge.BranchHeadAsync(tasks.Repo, branch, cancellationToken) is not { } head || seenHeads.GetValueOrDefault(tasks.Repo) == head)
        {
            return;
        }

        var files = await forge.FolderAsync(tasks.Repo, head, TasksLayout.InProgress, cancellationToken);
        var done = await forge.FolderAsync(tasks.Repo, head, TasksLayout.Done, cancellationToken);
        var doneNames = done.Select(file => SpecParser.NameOf(file.Name)).OfType<string>().ToHashSet();
        var taken = new HashSet<string>();
        foreach (var file in files.Where(file => file.Name.EndsWith(".md", StringComparison.OrdinalIgnoreCase)).OrderBy(file => file.Name, StringComparer.Ordinal))
        {
            await LookAtSpecAsync(tasks, branch, file, doneNames, taken, cancellationToken);
        }

        // Only a whole look counts: if the forge failed on the way, the next look goes over everything again.
        seenHeads[tasks.Repo] = head;
    }

    private async Task LookAtSpecAsync(
        TasksRepo tasks, string branch, TreeItem file, HashSet<string> done, HashSet<string> taken, CancellationToken cancellationToken)
    {
        var name = SpecParser.NameOf(file.Name);
        var path = $"{TasksLayout.InProgress}/{file.Name}";
        var source = new SourceRef(forge.Name, tasks.Repo.ToString(), SourceKind.Spec, name ?? file.Name, file.ObjectId, path, "", null, null);
        var isSecond = name is not null && !taken.Add(name);
        if (shelf.Find(source.Job) is not null && !isSecond)
        {
            return;
        }

        var key = isSecond ? source with { Name = file.Name + " (again)" } : source;
        if (await refusals.HasAsync(RefusalBook.KeyOf(key), cancellationToken))
        {
            return;
        }

        source = await WithPeopleAsync(key, tasks.Repo, branch, path, cancellationToken);
        var problems = FileProblems(file, name, isSecond);
        if (problems.Count > 0)
        {
            await RefuseAsync(source, problems, cancellationToken);
            return;
        }

        var bytes = await forge.BlobAsync(tasks.Repo, file.ObjectId, SpecParser.MaxBytes, cancellationToken);
        var parsed = SpecParser.Parse(bytes.Span, new SpecDefaults(tasks.DefaultTarget, null));
        await OpenAsync(parsed, source, done, cancellationToken);
    }

    private static List<Problem> FileProblems(TreeItem file, string? name, bool isSecond)
    {
        var problems = new List<Problem>();
        if (file.Mode == SymbolicLink)
        {
            problems.Add(new Problem(1, "the spec is a symbolic link", "put the text itself there"));
        }

        if (name is null)
        {
            problems.Add(new Problem(1, "the file name is not allowed", "use letters, digits, '.', '_' and '-', at most 100 characters, beginning with a letter or digit"));
        }

        if (isSecond)
        {
            problems.Add(new Problem(1, "another spec has the same name but for its case", "rename one of them"));
        }

        if (file.Size > SpecParser.MaxBytes)
        {
            problems.Add(new Problem(1, $"the file has {file.Size:N0} bytes; at most {SpecParser.MaxBytes:N0} are read", "say it in fewer words, or link to the material"));
        }

        return problems;
    }

    private async Task<SourceRef> WithPeopleAsync(SourceRef source, RepoName repo, string branch, string path, CancellationToken cancellationToken)
    {
        var commit = await forge.LastCommitAsync(repo, branch, path, cancellationToken);
        return source with
        {
            Author = commit?.AuthorLogin ?? commit?.AuthorName ?? "unknown",
            Thread = commit is null ? null : await forge.PullRequestOfCommitAsync(repo, commit.ObjectId, cancellationToken),
            Url = $"{(await forge.RepoAsync(repo, cancellationToken)).WebUrl}/blob/{branch}/{path}",
        };
    }

    private async Task LookAtIssuesAsync(IssueRepo issues, CancellationToken cancellationToken)
    {
        foreach (var issue in await forge.OpenIssuesAsync(issues.Repo, cancellationToken))
        {
            var revision = Revision(issue.Title + "\n" + issue.Body);
            var seenKey = $"{issues.Repo}#{issue.Number}".ToLowerInvariant();
            if (seenIssues.GetValueOrDefault(seenKey) == revision || (issues.Label is { } label && !issue.Labels.Contains(label)))
            {
                continue;
            }

            var source = new SourceRef(
                forge.Name, issues.Repo.ToString(), SourceKind.Issue, issue.Number.ToString(System.Globalization.CultureInfo.InvariantCulture), revision, null, issue.Author.Login, issue.Url, issue.Number);
            if (!issue.Author.IsBot
                && shelf.Find(source.Job) is null
                && !await refusals.HasAsync(RefusalBook.KeyOf(source), cancellationToken)
                && await forge.PermissionAsync(issues.Repo, issue.Author.Login, cancellationToken) >= Permission.Write)
            {
                var parsed = SpecParser.Parse(Encoding.UTF8.GetBytes(issue.Body), new SpecDefaults(issues.Repo, issue.Title));
                await OpenAsync(parsed, source, [], cancellationToken);
                await forge.ReactAsync(issues.Repo, new ReactionTarget(ReactionTargetKind.Issue, source.Name), Reaction.Rocket, cancellationToken);
            }

            seenIssues[seenKey] = revision;
        }
    }

    private async Task OpenAsync(SpecResult parsed, SourceRef source, HashSet<string> done, CancellationToken cancellationToken)
    {
        if (parsed.Spec is not { } spec)
        {
            await RefuseAsync(source, parsed.Problems, cancellationToken);
            return;
        }

        if (!settings.Allows(spec.Repo))
        {
            await RefuseAsync(source, [new Problem(1, $"this factory may not change '{spec.Repo}'", "ask the operator to add it to 'repositories'")], cancellationToken);
            return;
        }

        Repo target;
        try
        {
            target = await forge.RepoAsync(spec.Repo, cancellationToken);
        }
        catch (DriverException error) when (error.Failure is DriverFailure.NotFoundOrNoAccess or DriverFailure.Forbidden)
        {
            await RefuseAsync(source, [new Problem(1, $"the repository '{spec.Repo}' does not exist, or the factory's account may not see it", "correct 'repo', or grant access")], cancellationToken);
            return;
        }

        var dependsOn = spec.DependsOn.Where(name => !done.Contains(name))
            .Select(name => (source with { Kind = SourceKind.Spec, Name = name }).Key).ToList();
        if (QueuePolicy.FindCycle(source.Key, dependsOn, KnownDependencies()) is { } cycle)
        {
            await RefuseAsync(source, [new Problem(1, $"the specs would wait for each other: {string.Join(" → ", cycle.Select(key => key.Split(':')[^1]))}", "take one of the 'depends_on' out")], cancellationToken);
            return;
        }

        var order = Order.Resolve(spec, source, spec.Base ?? target.DefaultBranch, dependsOn, catalogue);
        if (order.Request is not { } request)
        {
            await RefuseAsync(source, order.Problems, cancellationToken);
            return;
        }

        var live = await shelf.OpenAsync(request, cancellationToken);
        LogOpened(live.Job.Id, source.Key, source.Author);
    }

    /// <summary>
    /// The newest job of a source ends those before it. At every look, because the daemon may have died between the two, and because people
    /// reopen what was closed.
    /// </summary>
    private async Task SupersedeAsync(CancellationToken cancellationToken)
    {
        foreach (var revisions in shelf.All.GroupBy(live => live.Job.Request.Source.Key).Where(revisions => revisions.Count() > 1))
        {
            var newest = revisions.Last().Job;
            var older = revisions.SkipLast(1).Where(live => live.Job.Conclusion is null or JobConclusion.Failed or JobConclusion.NeedsHuman);
            foreach (var live in newest.Conclusion is null ? older.ToList() : [])
            {
                await live.TellAsync(new JobFact.CancelAsked("drella", $"a newer revision of the spec is there; job {newest.Id} takes it up"), cancellationToken);
            }
        }
    }

    private Dictionary<string, IReadOnlyList<string>> KnownDependencies() => shelf.All
        .Where(live => live.Job.Conclusion is null)
        .GroupBy(live => live.Job.Request.Source.Key)
        .ToDictionary(group => group.Key, group => (IReadOnlyList<string>)[.. group.SelectMany(live => live.Job.Request.DependsOn)]);

    private async Task RefuseAsync(SourceRef source, IReadOnlyList<Problem> problems, CancellationToken cancellationToken)
    {
        LogRefused(source.Key, string.Join("; ", problems));
        await refusals.RefuseAsync(source, problems, cancellationToken);
    }

    [LoggerMessage(LogLevel.Information, "{Job} opened for {Source}, asked for by {Author}")]
    private partial void LogOpened(JobId job, string source, string author);

    [LoggerMessage(LogLevel.Information, "{Source} was refused: {Problems}")]
    private partial void LogRefused(string source, string problems);

    [LoggerMessage(LogLevel.Warning, "{Repo} could not be looked at")]
    private partial void LogUnseen(Exception error, string repo);
}
