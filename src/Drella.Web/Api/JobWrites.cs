using Drella.Core.Agents;
using Drella.Core.Jobs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Drella.Web.Api;

/// <summary>What an operator may do to a job. A fact that changes nothing is a conflict, with a sentence about why.</summary>
internal static class JobWrites
{
    public const string Operator = "operator";
    private const int MaxText = 100_000;

    public sealed record CancelBody(string? Reason);

    public sealed record ContinueBody(string? Note, decimal? Budget);

    public sealed record AnswerBody(string? Answer);

    public sealed record SteerBody(string? Message);

    public sealed record SpecBody(string? Text, string? Repo);

    public static void Map(IEndpointRouteBuilder routes, WebPorts ports)
    {
        routes.MapPost("/api/jobs/{id}/cancel", (string id, CancelBody body, CancellationToken cancellationToken) =>
            TellAsync(ports, id, _ => new JobFact.CancelAsked(Operator, Text(body.Reason) ?? "cancelled by the operator"), "the job is over already", cancellationToken));
        routes.MapPost("/api/jobs/{id}/retry", (string id, CancellationToken cancellationToken) =>
            TellAsync(ports, id, _ => new JobFact.RetryAsked(Operator), "only a job that ended without a merge can be tried again", cancellationToken));
        routes.MapPost("/api/jobs/{id}/continue", (string id, ContinueBody body, CancellationToken cancellationToken) => body.Budget is <= 0 or > 1_000_000
            ? Task.FromResult(Refused("the budget must be an amount of US dollars above 0"))
            : TellAsync(
                ports,
                id,
                _ => new JobFact.ContinueAsked(Operator, Text(body.Note), body.Budget is { } dollars ? (long)(dollars * 1_000_000) : null),
                "there is nothing to continue: the job is at work, or over",
                cancellationToken));
        routes.MapPost("/api/jobs/{id}/answer", (string id, AnswerBody body, CancellationToken cancellationToken) => Text(body.Answer) is { } answer
            ? TellAsync(ports, id, _ => new JobFact.AnswerGiven(answer, Operator), "no question waits for an answer", cancellationToken)
            : Task.FromResult(Refused("the answer is empty")));
        routes.MapPost("/api/jobs/{id}/steer", async (string id, SteerBody body, CancellationToken cancellationToken) =>
        {
            if (JobReads.Find(ports, id) is not { } live)
            {
                return JobReads.NotFound;
            }

            if (Text(body.Message) is not { } message || live.Job is not { IsStepOpen: true, Step: StepName.Work or StepName.Judge })
            {
                return Refused("no agent is at work, or the message is empty");
            }

            await live.RecordAsync(new JobEntry.Steered(message, Operator), cancellationToken);
            live.Control.Writer.TryWrite(new AgentControl.Steer(message));
            return Results.Json(new { ok = true }, WebServer.Wire);
        });
        routes.MapPost("/api/specs", async (SpecBody body, CancellationToken cancellationToken) =>
        {
            var result = await ports.Submit(new OpenJobRequest(Text(body.Text) ?? "", body.Repo), cancellationToken);
            return Results.Json(
                new { job = result.Job?.Value, problems = result.Problems }, WebServer.Wire, statusCode: result.Job is null ? StatusCodes.Status422UnprocessableEntity : StatusCodes.Status202Accepted);
        });
        routes.MapPost("/api/nudge", () =>
        {
            ports.Nudge();
            return Results.Accepted();
        });
    }

    public static async Task<IResult> TellAsync(WebPorts ports, string id, Func<Job, JobFact> fact, string otherwise, CancellationToken cancellationToken)
    {
        if (JobReads.Find(ports, id) is not { } live)
        {
            return JobReads.NotFound;
        }

        var entries = await live.TellAsync(fact(live.Job), cancellationToken);
        return entries.Count == 0 ? Refused(otherwise) : Results.Json(JobSummary.Of(live.Job, []), WebServer.Wire);
    }

    private static IResult Refused(string why) => Results.Json(new { error = why }, WebServer.Wire, statusCode: StatusCodes.Status409Conflict);

    private static string? Text(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Length <= MaxText ? text.Trim() : text[..MaxText];
}
