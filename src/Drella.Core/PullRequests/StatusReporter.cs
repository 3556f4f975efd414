using Drella.Core.Forges;
using Drella.Core.Jobs;
using Microsoft.Extensions.Logging;

namespace Drella.Core.PullRequests;

/// <summary>
/// Keeps the job's one status comment true: on the issue or pull request that the order came from, else on the implementation.
/// </summary>
internal sealed partial class StatusReporter(IForge forge, FactorySettings settings, ILogger<StatusReporter> logger)
{
    /// <summary>
    /// Writes the comment when it does not say what is so. A forge that fails is tried again at the next change; while another is at it there is
    /// nothing to do, since the next look sees whether the words are still true.
    /// </summary>
    public async Task ReportAsync(LiveJob live, CancellationToken cancellationToken)
    {
        if (!await live.Words.WaitAsync(0, cancellationToken))
        {
            return;
        }

        try
        {
            await WriteAsync(live, cancellationToken);
        }
        catch (DriverException error)
        {
            LogNotReported(error, live.Job.Id);
        }
        finally
        {
            live.Words.Release();
        }
    }

    private async Task WriteAsync(LiveJob live, CancellationToken cancellationToken)
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
