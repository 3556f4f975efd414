using System.Text;
using Drella.Core;
using Drella.Core.Forges;
using Drella.Core.Jobs;
using Drella.Core.PullRequests;
using Microsoft.Extensions.Logging;

namespace Drella.Drivers.Git;

/// <summary>The stores in one folder, through the <c>git</c> command. One instance for one folder.</summary>
public sealed partial class Quarantine : IQuarantine
{
    private const string OwnBranches = "drella/";

    private readonly QuarantineOptions options;
    private readonly GitCommand git;
    private readonly GitStore stores;
    private readonly BundleIntake intake;
    private long scratchNumber;

    public Quarantine(QuarantineOptions options, TimeProvider time, ILogger<Quarantine> logger)
    {
        ArgumentException.ThrowIfNullOrEmpty(options.Folder);
        this.options = options;
        var jail = new Jail(Jail.Exists);
        if (!jail.HasNamespaces)
        {
            if (!options.AllowUnjailedIngest)
            {
                throw new InvalidOperationException("bubblewrap is not installed, and bundles may not be taken without it");
            }

            LogNoJail(logger);
        }

        git = new GitCommand(time);
        stores = new GitStore(Path.GetFullPath(options.Folder));
        intake = new BundleIntake(git, jail, options, time);
    }

    public async Task<string> FetchAsync(RepoName repo, GitAccess access, string branch, CancellationToken cancellationToken)
    {
        using var store = await stores.OpenAsync(repo, cancellationToken);
        var reference = $"refs/remotes/forge/{branch}";
        await new Remote(git, options, store.Path, access).FetchAsync(branch, reference, cancellationToken);
        return Plumbing.Id(await At(store).TextAsync(cancellationToken, "rev-parse", "--verify", "--end-of-options", reference + "^{commit}"));
    }

    public async Task WriteSeedAsync(RepoName repo, IReadOnlyList<SeedBranch> branches, Stream destination, CancellationToken cancellationToken)
    {
        using var store = await stores.OpenAsync(repo, cancellationToken);
        using var scratch = MakeScratch();

        // A repository of its own that borrows the store's objects: its only refs are the ones that are to be seen.
        var repository = Path.Combine(scratch.Path, "seed");
        GitStore.MakeRepository(repository);
        await File.WriteAllTextAsync(Path.Combine(repository, "objects", "info", "alternates"), store.Objects + "\n", cancellationToken);
        var plumbing = new Plumbing(git, options, repository);
        foreach (var branch in branches)
        {
            Remote.RequireBranchName(branch.Name);
            await plumbing.UpdateRefAsync($"refs/heads/{branch.Name}", branch.Commit, cancellationToken);
        }

        await plumbing.RunAsync(
            plumbing.Call(["bundle", "create", "--quiet", "--version=2", "-", .. branches.Select(b => $"refs/heads/{b.Name}")]) with
            {
                Timeout = options.NetworkTimeout,
                Output = (stdout, token) => stdout.CopyToAsync(destination, token),
            },
            cancellationToken);
    }

    public async Task<string> IngestAsync(RepoName repo, JobId job, Stream bundle, CancellationToken cancellationToken)
    {
        RequireJob(job);
        using var store = await stores.OpenAsync(repo, cancellationToken);
        using var scratch = MakeScratch();
        var head = await intake.TakeAsync(store, scratch.Path, bundle, cancellationToken);
        await At(store).UpdateRefAsync($"refs/quarantine/{job}/{head}", head, cancellationToken);
        return head;
    }

    public async Task<ChangeSet> InspectAsync(RepoName repo, string baseCommit, string head, CancellationToken cancellationToken)
    {
        using var store = await stores.OpenAsync(repo, cancellationToken);
        return await new Inspection(At(store), options).LookAsync(baseCommit, head, cancellationToken);
    }

    public async Task<string> RewriteAsync(RepoName repo, RewriteOrder order, CancellationToken cancellationToken)
    {
        using var store = await stores.OpenAsync(repo, cancellationToken);
        using var scratch = MakeScratch();
        var plumbing = At(store);
        var head = await new Rewriting(plumbing, options, scratch.Path).WriteAsync(order, cancellationToken);
        if (head != order.Parent)
        {
            await plumbing.UpdateRefAsync($"refs/written/{head}", head, cancellationToken);
        }

        return head;
    }

    public async Task PushAsync(
        RepoName repo, GitAccess access, string commit, string branch, string? expectedRemote, CancellationToken cancellationToken)
    {
        Remote.RequireBranchName(branch);
        if (!branch.StartsWith(OwnBranches, StringComparison.Ordinal))
        {
            throw new InvalidOperationException($"the factory pushes to branches under '{OwnBranches}' only, not to '{branch}'");
        }

        using var store = await stores.OpenAsync(repo, cancellationToken);
        await new Remote(git, options, store.Path, access).PushAsync(commit, branch, expectedRemote, cancellationToken);
    }

    public async Task<bool> IsAncestorAsync(RepoName repo, string ancestor, string commit, CancellationToken cancellationToken)
    {
        using var store = await stores.OpenAsync(repo, cancellationToken);
        return await At(store).IsAncestorAsync(ancestor, commit, cancellationToken);
    }

    public async Task<string> DiffAsync(RepoName repo, string baseCommit, string head, int maxBytes, CancellationToken cancellationToken)
    {
        const string Cut = "\n[the diff was cut here]\n";
        using var store = await stores.OpenAsync(repo, cancellationToken);
        var plumbing = At(store);
        var result = await plumbing.RunAsync(
            plumbing.Call(
                "diff-tree", "-r", "-p", "--no-color", "--no-renames", "--no-ext-diff", "--no-textconv", "--full-index",
                "--src-prefix=a/", "--dst-prefix=b/", Plumbing.Id(baseCommit), Plumbing.Id(head)) with { MaxOutput = Math.Max(0, maxBytes - Cut.Length) },
            cancellationToken);
        return Encoding.UTF8.GetString(result.Output) + (result.WasCut ? Cut : "");
    }

    private static void RequireJob(JobId job)
    {
        if (!JobId.TryParse(job.Value, out _))
        {
            throw new ArgumentException("not a job", nameof(job));
        }
    }

    private Plumbing At(GitStore.Lease store) => new(git, options, store.Path);

    private Scratch MakeScratch() => new(stores.MakeScratch(
        $"{Environment.ProcessId}-{Interlocked.Increment(ref scratchNumber)}"));

    [LoggerMessage(LogLevel.Warning, "bubblewrap is not installed: bundles from sandboxes are read under limits, but without namespaces")]
    private static partial void LogNoJail(ILogger logger);

    private sealed record Scratch(string Path) : IDisposable
    {
        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
