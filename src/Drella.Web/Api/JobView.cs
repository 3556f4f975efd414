using Drella.Core.Jobs;

namespace Drella.Web.Api;

/// <summary>A job in a list. Money is in US dollars, times are UTC.</summary>
public sealed record JobSummary
{
    public required string Id { get; init; }

    public required string Title { get; init; }

    public required string Repo { get; init; }

    public required string Source { get; init; }

    public required string Author { get; init; }

    public required JobPhase Phase { get; init; }

    public JobConclusion? Conclusion { get; init; }

    public string? Reason { get; init; }

    public StepName? Step { get; init; }

    public int Attempt { get; init; }

    public int Round { get; init; }

    public int? PullRequest { get; init; }

    public string? PullRequestUrl { get; init; }

    public decimal Spent { get; init; }

    public decimal Limit { get; init; }

    public string? Progress { get; init; }

    public int? Percent { get; init; }

    public WaitKind? Wait { get; init; }

    public IReadOnlyList<string> Blockers { get; init; } = [];

    public DateTimeOffset OpenedAt { get; init; }

    public DateTimeOffset ChangedAt { get; init; }

    public static JobSummary Of(Job job, IEnumerable<Job> all) => new()
    {
        Id = job.Id.Value,
        Title = job.Request.Title,
        Repo = job.Request.Repo,
        Source = job.Request.Source.Key,
        Author = job.Request.Source.Author,
        Phase = job.Phase,
        Conclusion = job.Conclusion,
        Reason = job.Reason,
        Step = job.Step,
        Attempt = job.Attempt,
        Round = job.Round,
        PullRequest = job.PullRequest?.Number,
        PullRequestUrl = job.PullRequest?.Url,
        Spent = job.Spent / 1_000_000m,
        Limit = job.BudgetLimit / 1_000_000m,
        Progress = job.Progress?.Text,
        Percent = job.Progress?.Percent,
        Wait = job.Wait?.Kind,
        Blockers = job.Phase == JobPhase.Queued ? QueuePolicy.Blockers(job, all) : [],
        OpenedAt = job.OpenedAt,
        ChangedAt = job.ChangedAt,
    };
}

/// <summary>Everything about one job.</summary>
public sealed record JobView
{
    public required JobSummary Summary { get; init; }

    public required string Text { get; init; }

    public required string Base { get; init; }

    public string? BaseCommit { get; init; }

    public string? Published { get; init; }

    public IReadOnlyList<string> AcceptanceCriteria { get; init; } = [];

    public IReadOnlyList<RequirementClaim> Requirements { get; init; } = [];

    public IReadOnlyList<string> Pipeline { get; init; } = [];

    public string? Question { get; init; }

    public IReadOnlyList<string> Options { get; init; } = [];

    public string? Answer { get; init; }

    public IReadOnlyList<JobEntry.VerdictGiven> Verdicts { get; init; } = [];

    public IReadOnlyList<FeedbackView> Feedback { get; init; } = [];

    public IReadOnlyList<TranscriptView> Transcripts { get; init; } = [];

    public SandboxView? Sandbox { get; init; }

    public static JobView Of(Job job, IEnumerable<Job> all) => new()
    {
        Summary = JobSummary.Of(job, all),
        Text = job.Request.Text,
        Base = job.Request.Base,
        BaseCommit = job.BaseCommit,
        Published = job.Published,
        AcceptanceCriteria = job.Request.AcceptanceCriteria,
        Requirements = job.Proposal?.Requirements ?? [],
        Pipeline = [.. job.Request.Pipeline.Select(role => role.Name)],
        Question = job.Question?.Question,
        Options = job.Question?.Options ?? [],
        Answer = job.Answer,
        Verdicts = job.Verdicts,
        Feedback = [.. job.Feedback.Values.OrderBy(row => row.Order).Select(row => new FeedbackView(
            row.Row.Key, row.Row.Author, row.Row.Body, row.Row.Path, row.Row.Line, row.Disposition, row.Commit, row.Reply?.Body))],
        Transcripts = [.. job.Transcripts.Select((run, index) => new TranscriptView(index, run.Role, run.Session))],
    };
}

/// <summary>A remark of a person and what became of it.</summary>
public sealed record FeedbackView(string Key, string Author, string Body, string? Path, int? Line, Disposition? Disposition, string? Commit, string? Reply);

/// <summary>One run of an agent.</summary>
public sealed record TranscriptView(int Index, string Role, string Session);
