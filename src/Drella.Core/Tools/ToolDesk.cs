using Drella.Core.Jobs;
using Drella.Core.Secrets;
using Microsoft.Extensions.Logging;

namespace Drella.Core.Tools;

/// <summary>
/// Judges tool calls: the assignment must be at work, the role must hold the grant, counts are capped, the same call id is the same call.
/// Request, decision and result are in the job's stream before the agent hears of them.
/// </summary>
internal sealed partial class ToolDesk(JobShelf shelf, ToolHandlers handlers, Redactor redactor, ILogger<ToolDesk> logger) : IToolDesk
{
    private const int MaxKeptArguments = 32_000;
    private const int MaxKeptOfTooMany = 200;
    private const int OtherCap = 200;
    private const int MaxKeptAnswer = 8_000;

    private static readonly Dictionary<string, int> Caps = new()
    {
        [ToolCatalogue.OpenPr] = 20,
        [ToolCatalogue.UpdatePr] = 50,
        [ToolCatalogue.CommentOnPr] = 20,
        [ToolCatalogue.ReplyToReview] = 200,
        [ToolCatalogue.PostReview] = 10,
        [ToolCatalogue.UploadImage] = 30,
        [ToolCatalogue.ReportProgress] = 500,
        [ToolCatalogue.AskHuman] = 5,
    };

    public IReadOnlyList<ToolDefinition> ToolsFor(Assignment assignment) =>
        shelf.Find(assignment.Job)?.Job is { } job && IsAtWork(job, assignment)
            ? [.. ToolCatalogue.All.Where(tool => job.CurrentRole.Tools.Contains(tool.Name))]
            : [];

    public async Task<ToolAnswer> CallAsync(Assignment assignment, ToolCall call, CancellationToken cancellationToken)
    {
        if (shelf.Find(assignment.Job) is not { } live)
        {
            return ToolAnswer.Refused("this job is not known any more");
        }

        await live.Desk.WaitAsync(cancellationToken);
        try
        {
            return await CallInOrderAsync(live, assignment, call);
        }
        finally
        {
            live.Desk.Release();
        }
    }

    // Not cancelled with the caller: what has begun outside is finished and recorded.
    private async Task<ToolAnswer> CallInOrderAsync(LiveJob live, Assignment assignment, ToolCall call)
    {
        // The round belongs to the identity: an agent that is started anew may count its calls from the beginning.
        var callId = $"{assignment.Role}/{assignment.Round}/{call.CallId}";
        if (call.Tool != ToolCatalogue.GetPr && live.Job.ToolAnswers.TryGetValue(callId, out var before) && before.Tool == call.Tool)
        {
            return new ToolAnswer(before.IsError, before.Text);
        }

        var arguments = redactor.Redact(call.Arguments.GetRawText());
        var most = live.Job.ToolCounts.GetValueOrDefault(call.Tool) < CapOf(call.Tool) ? MaxKeptArguments : MaxKeptOfTooMany;
        await live.RecordAsync(
            new JobEntry.ToolRequested(callId, assignment.Role, call.Tool, arguments.Length <= most ? arguments : arguments[..most]),
            CancellationToken.None);
        var answer = Refusal(live.Job, assignment, call) ?? await handlers.RunAsync(live, call, CancellationToken.None);
        answer = answer with { Text = answer.Text.Length <= MaxKeptAnswer ? answer.Text : answer.Text[..MaxKeptAnswer] };
        await live.RecordAsync(new JobEntry.ToolAnswered(callId, call.Tool, answer.IsError, answer.Text), CancellationToken.None);
        LogCalled(live.Job.Id, assignment.Role, call.Tool, answer.IsError ? "refused" : "done");
        return answer;
    }

    private static ToolAnswer? Refusal(Job job, Assignment assignment, ToolCall call)
    {
        if (!IsAtWork(job, assignment))
        {
            return ToolAnswer.Refused("this piece of work is over; nothing more can be done in its name");
        }

        if (ToolCatalogue.Find(call.Tool) is null || !job.CurrentRole.Tools.Contains(call.Tool))
        {
            return ToolAnswer.Refused($"the role '{assignment.Role}' is not granted this tool");
        }

        if (job.ToolCounts.GetValueOrDefault(call.Tool) > CapOf(call.Tool))
        {
            return ToolAnswer.Refused("this tool was called too often in this attempt");
        }

        return OwnPullRequest(job, call);
    }

    private static ToolAnswer? OwnPullRequest(Job job, ToolCall call)
    {
        if (call.Arguments.TryGetProperty("pr", out var number) && (!number.TryGetInt32(out var named) || named != job.PullRequest?.Number))
        {
            return ToolAnswer.Refused("that is not this job's pull request");
        }

        if (call.Arguments.TryGetProperty("branch", out var branch) && branch.GetString() is { } name && name != "work" && name != job.PullRequest?.Branch)
        {
            return ToolAnswer.Refused("that is not this job's branch; the factory chooses the branch, leave it out");
        }

        return null;
    }

    private static int CapOf(string tool) => Caps.GetValueOrDefault(tool, OtherCap);

    private static bool IsAtWork(Job job, Assignment assignment) =>
        job is { IsStepOpen: true, Step: StepName.Work or StepName.Judge, Cancel: null, Conclusion: null } && job.Assignment == assignment;

    [LoggerMessage(LogLevel.Information, "{Job} {Role} called {Tool}: {Decision}")]
    private partial void LogCalled(JobId job, string role, string tool, string decision);
}
