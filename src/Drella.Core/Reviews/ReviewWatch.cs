using Drella.Core.Forges;
using Drella.Core.Jobs;
using Microsoft.Extensions.Logging;

namespace Drella.Core.Reviews;

/// <summary>
/// The loop that looks at every pull request of ours, and where a question waits also at the place it was asked, and tells the job what it
/// sees. It reads the whole state each time; a webhook only wakes it.
/// </summary>
internal sealed partial class ReviewWatch(JobShelf shelf, IForge forge, FactorySettings settings, ILogger<ReviewWatch> logger)
{
    private readonly Dictionary<string, (bool May, DateTimeOffset Until)> rights = [];
    private Actor? self;

    /// <summary>One look at every open pull request. A forge that fails for one does not keep the others from being looked at.</summary>
    public async Task LookAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        foreach (var live in shelf.All.ToList())
        {
            try
            {
                await LookForAnswerAsync(live, now, cancellationToken);
                if (IsWatched(live.Job))
                {
                    await LookAtAsync(live, now, cancellationToken);
                }
            }
            catch (DriverException error)
            {
                LogUnseen(error, live.Job.Id);
            }
        }
    }

    private static bool IsWatched(Job job) =>
        job.PullRequest is not null && job.Conclusion is null or JobConclusion.NeedsHuman or JobConclusion.Failed or JobConclusion.Closed;

    /// <summary>The question stands in the status comment, on the issue or pull request that the order came from: so it is answered there.</summary>
    private async Task LookForAnswerAsync(LiveJob live, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var source = live.Job.Request.Source;
        if (live.Job is not { Wait: { Kind: WaitKind.Answer } wait, Question: not null } || source.Thread is not { } thread)
        {
            return;
        }

        self ??= await forge.WhoAmIAsync(cancellationToken);
        var repo = RepoName.Parse(source.Repo);
        foreach (var said in (await forge.CommentsAsync(repo, thread, cancellationToken)).Where(remark => IsAnswer(remark, wait)).OrderBy(remark => remark.CreatedAt))
        {
            if (await MayCommandAsync(repo, said.Author.Login, now, cancellationToken))
            {
                await live.TellAsync(new JobFact.AnswerGiven(ReviewIntake.BodyOf(said), said.Author.Login), cancellationToken);
                await forge.ReactAsync(repo, new ReactionTarget(ReactionTargetKind.Comment, said.Id), Reaction.Eyes, cancellationToken);
                return;
            }
        }
    }

    private bool IsAnswer(Remark remark, Wait wait)
    {
        // Forges tell times in whole seconds.
        var asked = wait.Deadline - JobPlan.WaitDeadline;
        return remark.CreatedAt >= asked.AddTicks(-(asked.Ticks % TimeSpan.TicksPerSecond))
            && remark.Author.Id != self!.Id && !remark.Author.IsBot && !string.IsNullOrWhiteSpace(remark.Body);
    }

    private async Task LookAtAsync(LiveJob live, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (live.Job.PullRequest is not { } link)
        {
            return;
        }

        self ??= await forge.WhoAmIAsync(cancellationToken);
        var repo = live.Job.Request.RepoName;
        var pull = await forge.PullRequestAsync(repo, link.Number, cancellationToken);
        if (live.Job.Conclusion is null || pull.State is not PullRequestState.Closed)
        {
            await live.TellAsync(new JobFact.PullRequestChanged(pull.State, pull.MergedBy?.Login, pull.MergeCommit), cancellationToken);
        }

        if (pull.State is not (PullRequestState.Draft or PullRequestState.Open))
        {
            return;
        }

        var remarks = await forge.RemarksAsync(repo, link.Number, cancellationToken);
        var mayCommand = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var login in ReviewIntake.Unknown(live.Job, remarks, self))
        {
            if (await MayCommandAsync(repo, login, now, cancellationToken))
            {
                mayCommand.Add(login);
            }
        }

        var rows = ReviewIntake.Rows(live.Job, remarks, self, mayCommand, settings.RequireMention);
        if (rows.Count > 0 && live.Job is { Wait.Kind: WaitKind.Answer, Question: not null } && rows.FirstOrDefault(row => row.Kind == RemarkKind.Comment) is { } answer)
        {
            await live.TellAsync(new JobFact.AnswerGiven(answer.Body, answer.Author), cancellationToken);
        }

        foreach (var entry in await live.TellAsync(new JobFact.FeedbackArrived(rows), cancellationToken))
        {
            if (entry is JobEntry.FeedbackReceived received)
            {
                await AcknowledgeAsync(repo, received, cancellationToken);
            }
        }
    }

    private async Task AcknowledgeAsync(RepoName repo, JobEntry.FeedbackReceived received, CancellationToken cancellationToken)
    {
        foreach (var row in received.Rows.Where(row => row.NeedsWork && row.Kind != RemarkKind.Review))
        {
            var kind = row.Kind == RemarkKind.Inline ? ReactionTargetKind.Inline : ReactionTargetKind.Comment;
            await forge.ReactAsync(repo, new ReactionTarget(kind, row.Id), Reaction.Eyes, cancellationToken);
        }
    }

    private async Task<bool> MayCommandAsync(RepoName repo, string login, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var key = $"{repo}:{login}".ToLowerInvariant();
        if (!rights.TryGetValue(key, out var known) || known.Until <= now)
        {
            known = (await forge.PermissionAsync(repo, login, cancellationToken) >= Permission.Write, now + TimeSpan.FromMinutes(5));
            rights[key] = known;
        }

        return known.May;
    }

    [LoggerMessage(LogLevel.Warning, "{Job}: what people say of it could not be read")]
    private partial void LogUnseen(Exception error, JobId job);
}
