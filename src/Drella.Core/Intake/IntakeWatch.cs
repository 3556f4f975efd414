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
    private const string Folder = "040000";
    private const string Submodule = "160000";

    // A forge that is down says so at every call, and each may take its time limit.
    private const int MostFailures = 3;

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
        var specs = files.Where(file => file.Name.EndsWith(".md", StringComparison.OrdinalIgnoreCase)).ToList();
        var listing = new Listing(
            tasks,
            branch,
            done.Select(file => SpecParser.NameOf(file.Name)).OfType<string>().ToHashSet(),
            specs.Select(file => (SourceOf(tasks, file).Key, file.ObjectId)).ToLookup(spec => spec.Key, spec => spec.ObjectId));

        // Of two names that differ in case, the one that a job is about already has the name; a newcomer must not take it away.
        var owners = shelf.All.Select(live => live.Job.Request.Source).Where(source => source.Repo == tasks.Repo.ToString()).Select(source => source.Path).ToHashSet();
        var inTurn = specs.OrderByDescending(file => owners.Contains(PathOf(file))).ThenBy(file => file.Name, StringComparer.Ordinal);
        if (await EachAsync(inTurn, PathOf, file => LookAtSpecAsync(listing, file, cancellationToken)))
        {
            // Only a whole look counts: if the forge failed on the way, the next look goes over everything again.
            seenHeads[tasks.Repo] = head;
        }
    }

    /// <summary>Looks at each order; one that cannot be looked at does not keep the others from it. True when all could.</summary>
    private async Task<bool> EachAsync<T>(IEnumerable<T> orders, Func<T, string> name, Func<T, Task> look)
    {
        var failures = 0;
        var unseen = 0;
        foreach (var order in orders)
        {
            try
            {
                await look(order);
            }
            catch (DriverException error) when (!error.IsTransient || ++failures < MostFailures)
            {
                unseen++;
                LogUnseen(error, name(order));
            }
        }

        return unseen == 0;
    }

    private async Task LookAtSpecAsync(Listing listing, TreeItem file, CancellationToken cancellationToken)
    {
        var name = SpecParser.NameOf(file.Name);
        var source = SourceOf(listing.Tasks, file);
        var isSecond = name is not null && !listing.Taken.Add(name);
        if (shelf.Find(source.Job) is not null && !isSecond)
        {
            return;
        }

        var key = isSecond ? source with { Name = file.Name + " (again)" } : source;
        if (await refusals.HasAsync(RefusalBook.KeyOf(key), cancellationToken))
        {
            return;
        }

        source = await WithPeopleAsync(key, listing.Tasks.Repo, listing.Branch, PathOf(file), cancellationToken);
        var problems = FileProblems(file, name, isSecond, name is not null && listing.Done.Contains(name));
        if (problems.Count > 0)
        {
            await RefuseAsync(source, problems, cancellationToken);
            return;
        }

        ReadOnlyMemory<byte> bytes;
        try
        {
            bytes = await forge.BlobAsync(listing.Tasks.Repo, file.ObjectId, SpecParser.MaxBytes, cancellationToken);
        }
        catch (DriverException error) when (error.Failure == DriverFailure.Exhausted && !error.IsTransient)
        {
            // A forge that lists no sizes: the size shows when the file is fetched.
            await RefuseAsync(source, [TooLarge($"more than {SpecParser.MaxBytes:N0} bytes")], cancellationToken);
            return;
        }

        var parsed = SpecParser.Parse(bytes.Span, new SpecDefaults(listing.Tasks.DefaultTarget, null));
        await OpenAsync(parsed, source, listing, cancellationToken);
    }

    private static string PathOf(TreeItem file) => $"{TasksLayout.InProgress}/{file.Name}";

    private SourceRef SourceOf(TasksRepo tasks, TreeItem file) => new(
        forge.Name, tasks.Repo.ToString(), SourceKind.Spec, SpecParser.NameOf(file.Name) ?? file.Name, file.ObjectId, PathOf(file), "", null, null);

    private static List<Problem> FileProblems(TreeItem file, string? name, bool isSecond, bool isDone)
    {
        var problems = new List<Problem>();
        if (file.Mode == SymbolicLink)
        {
            problems.Add(new Problem(1, "the spec is a symbolic link", "put the text itself there"));
        }

        if (file.Mode is Folder or Submodule)
        {
            problems.Add(new Problem(1, "a folder or submodule has the name of a spec", "specs are files that lie directly in in-progress/"));
        }

        if (name is null)
        {
            problems.Add(new Problem(1, "the file name is not allowed", "use letters, digits, '.', '_' and '-', at most 100 characters, beginning with a letter or digit"));
        }

        if (isSecond)
        {
            problems.Add(new Problem(1, "another spec has the same name but for its case", "rename one of them"));
        }

        if (isDone)
        {
            problems.Add(new Problem(1, "a spec of the same name is in done/ already", "give this one a name of its own, or take the old one out of done/"));
        }

        if (file.Size > SpecParser.MaxBytes)
        {
            problems.Add(TooLarge($"{file.Size:N0} bytes"));
        }

        return problems;
    }

    private static Problem TooLarge(string size) =>
        new(1, $"the file has {size}; at most {SpecParser.MaxBytes:N0} are read", "say it in fewer words, or link to the material");

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

    private async Task LookAtIssuesAsync(IssueRepo issues, CancellationToken cancellationToken) => await EachAsync(
        await forge.OpenIssuesAsync(issues.Repo, cancellationToken),
        issue => $"{issues.Repo}#{issue.Number}",
        issue => LookAtIssueAsync(issues, issue, cancellationToken));

    private async Task LookAtIssueAsync(IssueRepo issues, Issue issue, CancellationToken cancellationToken)
    {
        var revision = Revision(issue.Title + "\n" + issue.Body);
        var seenKey = $"{issues.Repo}#{issue.Number}".ToLowerInvariant();
        if (seenIssues.GetValueOrDefault(seenKey) == revision || (issues.Label is { } label && !issue.Labels.Contains(label)))
        {
            return;
        }

        var source = new SourceRef(
            forge.Name, issues.Repo.ToString(), SourceKind.Issue, issue.Number.ToString(System.Globalization.CultureInfo.InvariantCulture), revision, null, issue.Author.Login, issue.Url, issue.Number);
        if (!issue.Author.IsBot
            && shelf.Find(source.Job) is null
            && !await refusals.HasAsync(RefusalBook.KeyOf(source), cancellationToken)
            && await forge.PermissionAsync(issues.Repo, issue.Author.Login, cancellationToken) >= Permission.Write)
        {
            var parsed = SpecParser.Parse(Encoding.UTF8.GetBytes(issue.Body), new SpecDefaults(issues.Repo, issue.Title));
            var isTakenUp = await OpenAsync(parsed, source, null, cancellationToken);
            await forge.ReactAsync(
                issues.Repo, new ReactionTarget(ReactionTargetKind.Issue, source.Name), isTakenUp ? Reaction.Rocket : Reaction.Confused, cancellationToken);
        }

        seenIssues[seenKey] = revision;
    }

    /// <summary>Opens the job, or refuses the order where it came from. True when there is a job.</summary>
    private async Task<bool> OpenAsync(SpecResult parsed, SourceRef source, Listing? listing, CancellationToken cancellationToken)
    {
        if (parsed.Spec is not { } spec)
        {
            await RefuseAsync(source, parsed.Problems, cancellationToken);
            return false;
        }

        if (!settings.Allows(spec.Repo))
        {
            await RefuseAsync(source, [new Problem(1, $"this factory may not change '{spec.Repo}'", "ask the operator to add it to 'repositories'")], cancellationToken);
            return false;
        }

        Repo target;
        try
        {
            target = await forge.RepoAsync(spec.Repo, cancellationToken);
        }
        catch (DriverException error) when (error.Failure is DriverFailure.NotFoundOrNoAccess or DriverFailure.Forbidden)
        {
            await RefuseAsync(source, [new Problem(1, $"the repository '{spec.Repo}' does not exist, or the factory's account may not see it", "correct 'repo', or grant access")], cancellationToken);
            return false;
        }

        // Whoever may write where the issue stands has no say elsewhere by that.
        if (source.Kind == SourceKind.Issue && spec.Repo != RepoName.Parse(source.Repo)
            && await forge.PermissionAsync(spec.Repo, source.Author, cancellationToken) < Permission.Write)
        {
            await RefuseAsync(source, [new Problem(1, $"'{source.Author}' may not write to '{spec.Repo}'", "ask somebody who may, or hand the order in as a spec")], cancellationToken);
            return false;
        }

        var dependsOn = spec.DependsOn.Where(name => listing?.Done.Contains(name) != true)
            .Select(name => (source with { Kind = SourceKind.Spec, Name = name }).Key).ToList();
        if (QueuePolicy.FindCycle(source.Key, dependsOn, KnownDependencies(listing)) is { } cycle)
        {
            await RefuseAsync(source, [new Problem(1, $"the specs would wait for each other: {string.Join(" → ", cycle.Select(key => key.Split(':')[^1]))}", "take one of the 'depends_on' out")], cancellationToken);
            return false;
        }

        var order = Order.Resolve(spec, source, spec.Base ?? target.DefaultBranch, dependsOn, catalogue);
        if (order.Request is not { } request)
        {
            await RefuseAsync(source, order.Problems, cancellationToken);
            return false;
        }

        if (!JobEntryCodec.Fits(new JobEntry.Opened(request)))
        {
            await RefuseAsync(source, [new Problem(1, "the text does not fit into one entry of the journal", "say it in fewer words, and without control characters")], cancellationToken);
            return false;
        }

        var live = await shelf.OpenAsync(request, cancellationToken);
        LogOpened(live.Job.Id, source.Key, source.Author);
        return true;
    }

    /// <summary>
    /// The newest job of a source that may go on ends those before it. At every look, because the daemon may have died between the two, and
    /// because people take up again what had ended.
    /// </summary>
    private async Task SupersedeAsync(CancellationToken cancellationToken)
    {
        foreach (var revisions in shelf.All.Where(live => QueuePolicy.MayGoOn(live.Job)).GroupBy(live => live.Job.Request.Source.Key))
        {
            var newest = revisions.Last().Job.Id;
            foreach (var live in revisions.SkipLast(1))
            {
                await live.TellAsync(new JobFact.CancelAsked("drella", $"a newer revision of the spec is there; job {newest} takes it up"), cancellationToken);
            }
        }
    }

    // A revision that is no longer there binds nobody: the one in its place is looked at in the same turn.
    private Dictionary<string, IReadOnlyList<string>> KnownDependencies(Listing? listing) => shelf.All
        .Select(live => live.Job)
        .Where(job => job.Conclusion is null && (listing is null || !listing.Revisions.Contains(job.Request.Source.Key) || listing.Revisions[job.Request.Source.Key].Contains(job.Request.Source.Revision)))
        .GroupBy(job => job.Request.Source.Key)
        .ToDictionary(group => group.Key, group => (IReadOnlyList<string>)[.. group.SelectMany(job => job.Request.DependsOn)]);

    private async Task RefuseAsync(SourceRef source, IReadOnlyList<Problem> problems, CancellationToken cancellationToken)
    {
        LogRefused(source.Key, string.Join("; ", problems));
        await refusals.RefuseAsync(source, problems, cancellationToken);
    }

    [LoggerMessage(LogLevel.Information, "{Job} opened for {Source}, asked for by {Author}")]
    private partial void LogOpened(JobId job, string source, string author);

    [LoggerMessage(LogLevel.Information, "{Source} was refused: {Problems}")]
    private partial void LogRefused(string source, string problems);

    [LoggerMessage(LogLevel.Warning, "{Where} could not be looked at")]
    private partial void LogUnseen(Exception error, string where);

    /// <summary>A tasks repository at one commit.</summary>
    /// <param name="Tasks">The repository.</param>
    /// <param name="Branch">Its default branch.</param>
    /// <param name="Done">Names in <c>done/</c>.</param>
    /// <param name="Revisions">What lies in <c>in-progress/</c>, by source key.</param>
    private sealed record Listing(TasksRepo Tasks, string Branch, HashSet<string> Done, ILookup<string, string> Revisions)
    {
        /// <summary>Names that a spec of this look has.</summary>
        public HashSet<string> Taken { get; } = [];
    }
}
