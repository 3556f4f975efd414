using System.Runtime.CompilerServices;
using Drella.Core.Forges;
using Drella.Core.Jobs;
using Microsoft.Extensions.Logging;

namespace Drella.Core.PullRequests;

/// <summary>
/// Keeps the job's one status comment true: on the issue or pull request that the order came from, else on the implementation.
/// </summary>
internal sealed partial class StatusReporter(IForge forge, FactorySettings settings, ILogger<StatusReporter> logger)
{
    // The loop and a job's own steps write; two at once would both find no comment and make two.
    private readonly ConditionalWeakTable<LiveJob, SemaphoreSlim> turns = [];

    /// <summary>Writes the comment when it does not say what is so. A forge that fails is tried again at the next change.</summary>
    public async Task ReportAsync(LiveJob live, CancellationToken cancellationToken)
    {
        var turn = turns.GetValue(live, _ => new SemaphoreSlim(1, 1));
        await turn.WaitAsync(cancellationToken);
        try
        {
            await ReportInTurnAsync(live, cancellationToken);
        }
        catch (DriverException error)
        {
            LogNotReported(error, live.Job.Id);
        }
        finally
        {
            turn.Release();
        }
    }

    private async Task ReportInTurnAsync(LiveJob live, CancellationToken cancellationToken)
    {
        var job = live.Job;
        var text = StatusText.For(job, settings);
        var digest = StatusText.Digest(text);
        var (repo, number) = Home(job);
        if (digest == job.StatusDigest || number == 0)
        {
            return;
        }

        var key = new EffectKey($"{job.Id}/status");
        if (await forge.FindCommentAsync(repo, number, key, cancellationToken) is { } comment)
        {
            await forge.EditCommentAsync(repo, comment.Id, text, key, cancellationToken);
        }
        else
        {
            await forge.CommentAsync(repo, number, text, key, cancellationToken);
        }

        await live.RecordAsync(new JobEntry.StatusReported(digest), cancellationToken);
    }

    private static (RepoName Repo, int Number) Home(Job job) => job.Request.Source.Thread is { } thread
        ? (RepoName.Parse(job.Request.Source.Repo), thread)
        : (job.Request.RepoName, job.PullRequest?.Number ?? 0);

    [LoggerMessage(LogLevel.Warning, "{Job}: the status comment could not be written")]
    private partial void LogNotReported(Exception error, JobId job);
}
