using Drella.Core.Agents;
using Drella.Core.Jobs;
using Microsoft.AspNetCore.Http;

namespace Drella.Web.Api;

/// <summary>What an operator asks of a job, whichever way it came in.</summary>
internal sealed record Ask(string Verb, string? Text = null, decimal? Budget = null)
{
    public static IReadOnlyList<string> Verbs { get; } = ["cancel", "retry", "continue", "answer", "steer"];
}

/// <summary>How it went: <see cref="Refusal"/> is a sentence for the operator, null when it was done.</summary>
internal sealed record Outcome(int Status, string? Refusal)
{
    public static Outcome Done { get; } = new(StatusCodes.Status200OK, null);
}

/// <summary>Carries out what an operator asks. A fact that changes nothing is a conflict, with a sentence about why.</summary>
internal sealed class Operator(WebPorts ports)
{
    public const string Name = "operator";
    public const int MaxText = 100_000;

    public async Task<Outcome> DoAsync(string id, Ask ask, CancellationToken cancellationToken)
    {
        if (JobReads.Find(ports, id) is not { } live)
        {
            return new Outcome(StatusCodes.Status404NotFound, "there is no such job");
        }

        var text = string.IsNullOrWhiteSpace(ask.Text) ? null : ask.Text.Trim();
        if (Fault(ask, text) is { } fault)
        {
            return new Outcome(StatusCodes.Status422UnprocessableEntity, fault);
        }

        return ask.Verb switch
        {
            "cancel" => await TellAsync(live, new JobFact.CancelAsked(Name, text ?? "cancelled by the operator"), "the job is over, or being cancelled, already", cancellationToken),
            "retry" => await TellAsync(live, new JobFact.RetryAsked(Name), "only a job that ended without a merge can be tried again", cancellationToken),
            "continue" => await TellAsync(
                live, new JobFact.ContinueAsked(Name, text, (long?)(ask.Budget * 1_000_000)), "there is nothing to continue: the job is at work, or over", cancellationToken),
            "answer" => await TellAsync(live, new JobFact.AnswerGiven(text!, Name), "no question waits for an answer", cancellationToken),
            _ => await SteerAsync(live, text!, cancellationToken),
        };
    }

    private static string? Fault(Ask ask, string? text) => ask.Verb switch
    {
        _ when text?.Length > MaxText => $"the text is longer than {MaxText} characters",
        "continue" when ask.Budget is <= 0 or > 1_000_000 => "the budget must be an amount of US dollars above 0",
        "answer" when text is null => "the answer is empty",
        "steer" when text is null => "the message is empty",
        _ => null,
    };

    private static async Task<Outcome> TellAsync(LiveJob live, JobFact fact, string otherwise, CancellationToken cancellationToken) =>
        (await live.TellAsync(fact, cancellationToken)).Count > 0 ? Outcome.Done : new Outcome(StatusCodes.Status409Conflict, otherwise);

    private static async Task<Outcome> SteerAsync(LiveJob live, string message, CancellationToken cancellationToken)
    {
        if (live.Job is not { IsStepOpen: true, Step: StepName.Work or StepName.Judge })
        {
            return new Outcome(StatusCodes.Status409Conflict, "no agent is at work");
        }

        await live.RecordAsync(new JobEntry.Steered(message, Name), cancellationToken);
        live.Control.Writer.TryWrite(new AgentControl.Steer(message));
        return Outcome.Done;
    }
}
