using System.Globalization;
using Drella.Core.Jobs;
using Drella.Core.PullRequests;

namespace Drella.Web.Pages;

/// <summary>Journal entries in plain words, one sentence each. Pure.</summary>
public static class EntryText
{
    public static string For(JobEntry entry) => entry switch
    {
        JobEntry.Opened e => $"Asked for by {e.Request.Source.Author}: {e.Request.Title}",
        JobEntry.Admitted e => $"Attempt {N(e.Attempt)} begins",
        JobEntry.StepStarted e => $"{e.Step} begins{(e.Try > 1 ? $", try {N(e.Try)}" : "")}",
        JobEntry.StepSucceeded e => $"{e.Step} succeeded",
        JobEntry.StepFailed e => $"{e.Step} failed and is tried again at {e.RetryAt.UtcDateTime.ToString("HH:mm:ss", CultureInfo.InvariantCulture)}: {e.Reason}",
        JobEntry.StepAbandoned e => $"{e.Step} was given up: {e.Reason}",
        JobEntry.BaseResolved e => $"The work begins on {Short(e.Commit)}",
        JobEntry.SandboxEntered e => $"{e.By} looks into sandbox {e.Sandbox}{(e.Command is null ? "" : ": " + e.Command)}",
        JobEntry.SandboxReady e => $"Sandbox {e.Sandbox} is up ({e.Provider})",
        JobEntry.WorkspaceSynced e => $"The workspace stands at {Short(e.Commit)}",
        JobEntry.AgentStarted e => $"The agent works as {e.Role}",
        JobEntry.AgentEnded e => $"The agent ended with {e.Outcome} ({e.Detail}); {N(e.TranscriptBytes)} bytes of transcript",
        JobEntry.Harvested e => $"{Some(e.Commits, "commit")} with {Some(e.Files, "file")} came out, at {Short(e.Head)}{(e.Flags.Count > 0 ? "; to look at: " + string.Join("; ", e.Flags) : "")}",
        JobEntry.Proposed e => $"The agent proposes: {e.Title}",
        JobEntry.HeadPublished e => $"{Short(e.Commit)} is on the branch",
        JobEntry.PullRequestOpened e => $"Pull request {N(e.Number)} is open: {e.Url}",
        JobEntry.ReadyMarked => "The pull request is ready for review",
        JobEntry.VerdictGiven e => $"{e.Role} {(e.Passed ? "passed" : "did not pass")} the change: {e.Summary} ({Some(e.Findings.Count, "finding")})",
        JobEntry.RoundOpened e => $"Round {N(e.Round)} begins: {e.Cause}{(e.Detail is null ? "" : ", " + e.Detail)}",
        JobEntry.FeedbackReceived e => $"{Some(e.Rows.Count, "remark")} came in from {string.Join(", ", e.Rows.Select(row => row.Author).Distinct())}",
        JobEntry.FeedbackTaken e => $"This round answers {string.Join(", ", e.Keys)}",
        JobEntry.ReplyProposed e => $"Answer to {e.Key}: {e.Disposition}",
        JobEntry.FeedbackSettled e => $"{e.Key} is settled: {e.Disposition}{(e.Commit is null ? "" : " in " + Short(e.Commit))}",
        JobEntry.PullRequestLeft e => $"Pull request {e.Number} is left closed; the work goes on in another",
        JobEntry.PullRequestSeen e => $"The pull request is {e.State}{(e.By is null ? "" : " by " + e.By)}",
        JobEntry.CallReserved e => $"A call of {e.Model} reserves {PullRequestText.Money(e.Amount)}",
        JobEntry.CallRefused e => $"A model call over {PullRequestText.Money(e.Amount)} did not fit the budget",
        JobEntry.CallSettled e => $"A call of {e.Model} cost {PullRequestText.Money(e.Cost)} ({N(e.Input)} in, {N(e.Output)} out)",
        JobEntry.BudgetRaised e => $"The budget is {PullRequestText.Money(e.Limit)} now (by {e.By})",
        JobEntry.WaitBegan e => $"Paused for {e.Kind}: {e.Why}",
        JobEntry.WaitEnded => "The pause is over",
        JobEntry.QuestionAsked e => $"The agent asks: {e.Question}",
        JobEntry.QuestionAnswered e => $"{e.By} answers: {e.Answer}",
        JobEntry.ProgressReported e => e.Percent is { } percent ? $"{e.Text} ({N(percent)} %)" : e.Text,
        JobEntry.ToolRequested e => $"{e.Role} calls {e.Tool}",
        JobEntry.ToolAnswered e => $"{e.Tool} {(e.IsError ? "was refused" : "is done")}: {e.Text}",
        JobEntry.DoorUsed e => $"{e.Door} door: {e.Target} {(e.Allowed ? "allowed" : "denied")} ({e.Rule})",
        JobEntry.StatusReported => "The status comment was brought up to date",
        JobEntry.Steered e => $"{e.By} tells the agent: {e.Text}",
        JobEntry.CancelRequested e => $"{e.By} cancels: {e.Reason}",
        JobEntry.Concluded e => $"Over: {e.Conclusion}, {e.Reason}",
        JobEntry.Reopened e => $"{e.By} puts it back to work{(e.Fresh ? " from a clean sandbox" : "")}{(e.Note is null ? "" : ": " + e.Note)}",
        JobEntry.SandboxReleased e => e.Kept ? "The sandbox is stopped and kept for a look" : "The sandbox is gone",
        _ => entry.GetType().Name,
    };

    private static string N(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static string Some(int number, string what) => number == 1 ? $"1 {what}" : $"{N(number)} {what}s";

    private static string Short(string commit) => commit.Length > 10 ? commit[..10] : commit;
}
