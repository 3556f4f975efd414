using Drella.Core.Forges;
using Drella.Core.Jobs;

namespace Drella.Web.Tests;

/// <summary>Jobs and entries for the pages to show.</summary>
internal static class Some
{
    public static JobRequest Request(string name = "add-greeting", string title = "Add a greeting", string text = "Say hello.") => new()
    {
        Source = new SourceRef("builtin", "acme/tasks", SourceKind.Spec, name, "r1", $"in-progress/{name}.md", "ada", null, null),
        Title = title,
        Text = text,
        AcceptanceCriteria = ["It greets"],
        Repo = "acme/app",
        Base = "main",
        Pipeline = [Role("producer", mayEdit: true), Role("validator", mayEdit: false)],
        Profile = "default",
        AllowedHosts = [],
        Priority = 0,
        Budget = 5_000_000,
        WorkTimeout = TimeSpan.FromHours(1),
        MaxRounds = 4,
    };

    public static RoleSnapshot Role(string name, bool mayEdit) =>
        new() { Name = name, Agent = "line", Model = "model-1", Tools = [], MayEdit = mayEdit, Prompt = "Work." };

    /// <summary>What brings a fresh job to an agent at work.</summary>
    public static IReadOnlyList<JobEntry> AtWork(string transcript) =>
    [
        new JobEntry.Admitted(1),
        new JobEntry.StepStarted(StepName.Prepare, 1),
        new JobEntry.StepSucceeded(StepName.Prepare),
        new JobEntry.StepStarted(StepName.Provision, 1),
        new JobEntry.StepSucceeded(StepName.Provision),
        new JobEntry.StepStarted(StepName.Work, 1),
        new JobEntry.AgentStarted("producer", "s1", transcript),
    ];

    /// <summary>An entry of every kind that carries text, with that text in each of its texts.</summary>
    public static IReadOnlyList<JobEntry> WithEverywhere(string text) =>
    [
        new JobEntry.SandboxReady(text, text),
        new JobEntry.SandboxEntered(text, text, text),
        new JobEntry.Proposed(text, text, [new RequirementClaim("1", text, text)]),
        new JobEntry.Harvested("c0ffee", 1, 1, [text]),
        new JobEntry.PullRequestOpened(7, text, text),
        new JobEntry.VerdictGiven(text, false, text, [new Finding(Severity.Major, text, text, text, 3)]),
        new JobEntry.FeedbackReceived([new FeedbackRow
        {
            Key = "k1", Kind = RemarkKind.Inline, Id = "1", Author = text, Body = text, Path = text, Line = 1, Hunk = text, NeedsWork = true,
        }]),
        new JobEntry.ReplyProposed("k1", text, Disposition.Fixed),
        new JobEntry.FeedbackSettled("k1", Disposition.Fixed, text),
        new JobEntry.CallReserved("c1", text, text, 10),
        new JobEntry.CallSettled("c1", text, 1, 2, 3, 4, 10, 200),
        new JobEntry.ProgressReported(text, 40),
        new JobEntry.ToolRequested("t1", text, text, "{}"),
        new JobEntry.ToolAnswered("t1", text, true, text),
        new JobEntry.DoorUsed(text, text, false, text),
        new JobEntry.Steered(text, text),
        new JobEntry.QuestionAsked("q1", text, [text]),
        new JobEntry.WaitBegan(WaitKind.Answer, text, new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero)),
        new JobEntry.StepFailed(StepName.Work, text, new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero)),
    ];
}
