using Drella.Core.Forges;
using Drella.Core.Jobs;
using Drella.Core.Sandboxes;

namespace Drella.Core.PullRequests;

/// <summary>What came of taking the commits out.</summary>
internal abstract record HarvestResult
{
    private HarvestResult()
    {
    }

    public sealed record Taken(JobEntry.Harvested Entry) : HarvestResult;

    /// <summary>There is nothing that was not taken before.</summary>
    public sealed record Nothing(bool HasUncommittedWork) : HarvestResult;

    /// <summary>The policy or Git refused; the text is for the agent.</summary>
    public sealed record Refused(string Why) : HarvestResult;
}

/// <summary>
/// Takes commits out of a sandbox: the guest makes a bundle, the quarantine takes it in, the policy judges. The host never runs Git
/// in anything that the guest can write.
/// </summary>
internal sealed class Harvester(IQuarantine quarantine, ContentPolicy policy)
{
    private const int MaxOutput = 4096;
    private const long MaxBundleBytes = 256L << 20;

    public async Task<HarvestResult> HarvestAsync(LiveJob live, ISandbox sandbox, CancellationToken cancellationToken)
    {
        var job = live.Job;
        var head = await sandbox.RunAsync(Workspace.Git(sandbox, "rev-parse", "--verify", "HEAD^{commit}"), MaxOutput, cancellationToken);
        if (!head.IsSuccess)
        {
            return new HarvestResult.Refused("the workspace is not a Git repository with a commit any more; clone it again from the branch 'drella-base' of the bundle, or ask for a fresh start");
        }

        if (head.Output.Trim() == job.GuestHead)
        {
            // Taken before a person pushed: as it stands, its tree would undo what they did.
            if (job.GuestBase is { } ground && !await quarantine.IsAncestorAsync(job.Request.RepoName, ground, job.GuestHead, cancellationToken))
            {
                return new HarvestResult.Refused(
                    $"the branch of the pull request stands at {Short(ground)} now, which is `{Workspace.SeedBranch}` in your clone, and your commits do not stand on it. Rebase onto it.");
            }

            return new HarvestResult.Nothing(await IsDirtyAsync(sandbox, cancellationToken));
        }

        // On what a person pushed, and nothing to add to it: there is no bundle of no commits, and the host has this one.
        if (head.Output.Trim() == job.GuestBase)
        {
            return await IsDirtyAsync(sandbox, cancellationToken)
                ? new HarvestResult.Nothing(HasUncommittedWork: true)
                : new HarvestResult.Taken(new JobEntry.Harvested(job.GuestBase, 0, 0, []));
        }

        // HEAD is asked for by a name of ours: whatever branch or detached state the agent left, the bundle has exactly this one ref.
        var named = await sandbox.RunAsync(Workspace.Git(sandbox, "update-ref", Workspace.OutRef, "HEAD"), MaxOutput, cancellationToken);
        await using var bundler = await sandbox.StartAsync(
            Workspace.Git(sandbox, "bundle", "create", "--quiet", "-", "^" + job.GuestBase, Workspace.OutRef), cancellationToken);
        bundler.StandardInput.Close();
        string taken;
        try
        {
            await using var capped = new CappedStream(bundler.StandardOutput, MaxBundleBytes);
            taken = await quarantine.IngestAsync(job.Request.RepoName, job.Id, capped, cancellationToken);
        }
        catch (DriverException error) when (error.Failure is DriverFailure.Invalid or DriverFailure.Exhausted)
        {
            return new HarvestResult.Refused(
                $"the commits could not be taken: Git refused the bundle, it is too large, or the branch does not contain {Short(job.GuestBase)}, on which it must stand (`{Workspace.SeedBranch}` in your clone). Rebase onto that commit and do not rewrite it.");
        }

        if (taken == job.GuestHead || !named.IsSuccess)
        {
            return new HarvestResult.Nothing(HasUncommittedWork: false);
        }

        var changes = await quarantine.InspectAsync(job.Request.RepoName, job.GuestBase!, taken, cancellationToken);
        var report = policy.Judge(changes, new PolicyWaivers(job.Request.Waivers));
        var blocking = report.Refusals.Where(refusal => refusal.IsBlocking).ToList();
        return blocking.Count > 0
            ? new HarvestResult.Refused(string.Join('\n', blocking.Take(20).Select(refusal => "- " + Line(refusal))))
            : new HarvestResult.Taken(new JobEntry.Harvested(
                taken, changes.Commits.Count, changes.Files.Count, [.. report.Refusals.Take(50).Select(Line)]));
    }

    private static async Task<bool> IsDirtyAsync(ISandbox sandbox, CancellationToken cancellationToken) =>
        (await sandbox.RunAsync(Workspace.Git(sandbox, "status", "--porcelain"), MaxOutput, cancellationToken)).Output.Length > 0;

    private static string Line(Refusal refusal) => refusal.Path is null ? refusal.Explanation : $"{refusal.Path}: {refusal.Explanation}";

    private static string Short(string? commit) => commit is { Length: > 12 } ? commit[..12] : commit ?? "the base";
}
