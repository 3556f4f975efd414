using System.IO.Pipelines;
using Drella.Core.Forges;
using Drella.Core.Jobs;
using Drella.Core.PullRequests;
using Drella.Core.Sandboxes;

namespace Drella.Core.Steps;

/// <summary>Has a running sandbox whose workspace stands where the round begins.</summary>
internal sealed class Provision(Floor floor, IForge forge, IQuarantine quarantine, ISandboxHost sandboxes, FactorySettings settings) : IStep
{
    private const int MaxOutput = 4096;
    private const string SeedFile = "/tmp/drella-seed.bundle";

    private const string CloneScript =
        """
        rm -rf repo.new
        git clone -q --branch "$1" "$2" repo.new
        git -C repo.new remote remove origin
        git -C repo.new checkout -q -b work
        rm -rf repo && mv repo.new repo
        """;

    private const string FetchScript =
        """
        cd repo
        git fetch -q --no-tags "$2" "+refs/heads/$1:refs/heads/$1"
        """;

    private const string ResetScript =
        """
        cd repo
        git fetch -q --no-tags "$2" "+refs/heads/$1:refs/drella/seed"
        git checkout -q -f -B work refs/drella/seed
        """;

    // Straight from the store into the guest; the two sides take turns, so nothing lies on the host's disk between them.
    private static readonly PipeOptions InOrder = new(readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, useSynchronizationContext: false);

    public StepName Name => StepName.Provision;

    public async Task<StepOutcome> RunAsync(LiveJob live, CancellationToken cancellationToken)
    {
        var entries = new List<JobEntry>();
        var job = live.Job;
        var published = await TakeOverAsync(job, entries, cancellationToken);
        var sandbox = await floor.EnsureAsync(job, isRestart: true, cancellationToken);
        var provider = await sandboxes.ProbeAsync(cancellationToken);
        entries.Add(new JobEntry.SandboxReady(sandbox.Name.Value, provider.Provider));

        var isFresh = job.GuestBase is null || !await HasWorkspaceAsync(sandbox, cancellationToken);
        var start = published ?? job.BaseCommit!;
        if (isFresh)
        {
            await SeedAsync(job, sandbox, start, CloneScript, cancellationToken);
            entries.Add(new JobEntry.WorkspaceSynced(start));
        }
        else if (job.Cause == RoundCause.Feedback && published is not null && published != job.GuestHead)
        {
            await SeedAsync(job, sandbox, start, ResetScript, cancellationToken);
            entries.Add(new JobEntry.WorkspaceSynced(start));
        }
        else if (job.Cause == RoundCause.HumanPush || published != job.Published)
        {
            // Commits that were not taken out yet stay; the agent rebases them itself.
            await SeedAsync(job, sandbox, start, FetchScript, cancellationToken);
        }

        return new StepOutcome.Succeeded { Entries = entries };
    }

    /// <summary>Where the pull request's branch really stands: a person's push becomes the ground of the round.</summary>
    private async Task<string?> TakeOverAsync(Job job, List<JobEntry> entries, CancellationToken cancellationToken)
    {
        if (job.PullRequest is null && job.Published is null)
        {
            return null;
        }

        var repo = job.Request.RepoName;
        var branch = job.PullRequest?.Branch ?? BranchName.For(settings.BranchPrefix, job);
        var remote = await forge.BranchHeadAsync(repo, branch, cancellationToken);
        if (remote is null || remote == job.Published)
        {
            return job.Published;
        }

        await quarantine.FetchAsync(repo, await forge.GitAccessAsync(repo, cancellationToken), branch, cancellationToken);
        entries.Add(new JobEntry.HeadPublished(remote, remote));
        return remote;
    }

    private static async Task<bool> HasWorkspaceAsync(ISandbox sandbox, CancellationToken cancellationToken) =>
        (await sandbox.RunAsync(Workspace.Git(sandbox, "rev-parse", "--verify", "HEAD^{commit}"), MaxOutput, cancellationToken)).IsSuccess;

    private async Task WriteSeedAsync(Job job, string commit, PipeWriter writer, CancellationToken cancellationToken)
    {
        var isWhole = false;
        try
        {
            await using var destination = writer.AsStream(leaveOpen: true);
            await quarantine.WriteSeedAsync(job.Request.RepoName, [new SeedBranch(Workspace.SeedBranch, commit)], destination, cancellationToken);
            isWhole = true;
        }
        finally
        {
            // The sandbox's side ends with an error as well: a seed that was cut must not look whole.
            await writer.CompleteAsync(isWhole ? null : new DriverException(true, $"the seed of {job.Id} was cut"));
        }
    }

    private async Task SeedAsync(Job job, ISandbox sandbox, string commit, string script, CancellationToken cancellationToken)
    {
        var pipe = new Pipe(InOrder);
        var writing = WriteSeedAsync(job, commit, pipe.Writer, cancellationToken);
        try
        {
            await using var bundle = pipe.Reader.AsStream();
            await sandbox.WriteFileAsync(SeedFile, bundle, cancellationToken);
        }
        finally
        {
            // With the reader gone the writer runs through: neither outlives the step.
            await writing;
        }

        var done = await sandbox.RunAsync(Workspace.Script(sandbox, script, Workspace.SeedBranch, SeedFile), MaxOutput, cancellationToken);
        if (!done.IsSuccess)
        {
            throw new DriverException(true, $"the workspace in {sandbox.Name} could not be made: exit {done.Exit.Code}, {done.Error.Trim()}");
        }
    }
}
