using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Drella.Web.Api;

/// <summary>What an operator may change through the API.</summary>
internal static class JobWrites
{
    private const int MaxSpec = 256 << 10;
    private const int MaxCommand = 2000;

    public sealed record CancelBody(string? Reason);

    public sealed record ContinueBody(string? Note, decimal? Budget);

    public sealed record AnswerBody(string? Answer);

    public sealed record SteerBody(string? Message);

    public sealed record VisitBody(string? Command);

    public sealed record SpecBody(string? Text, string? Repo, string? Sandbox = null);

    public static void Map(IEndpointRouteBuilder routes, WebPorts ports)
    {
        var operation = new Operator(ports);
        async Task<IResult> Do(string id, Ask ask, CancellationToken cancellationToken)
        {
            var outcome = await operation.DoAsync(id, ask, cancellationToken);
            return outcome switch
            {
                { Status: StatusCodes.Status404NotFound } => JobReads.NotFound,
                { Refusal: { } why } => Results.Json(new { error = why }, WebServer.Wire, statusCode: outcome.Status),
                _ => Results.Json(JobSummary.Of(JobReads.Find(ports, id)!.Job, ports.Jobs.All.Select(other => other.Job)), WebServer.Wire),
            };
        }

        routes.MapPost("/api/jobs/{id}/cancel", (string id, CancelBody body, CancellationToken cancellationToken) => Do(id, new Ask("cancel", body.Reason), cancellationToken));
        routes.MapPost("/api/jobs/{id}/retry", (string id, CancellationToken cancellationToken) => Do(id, new Ask("retry"), cancellationToken));
        routes.MapPost("/api/jobs/{id}/continue", (string id, ContinueBody body, CancellationToken cancellationToken) => Do(id, new Ask("continue", body.Note, body.Budget), cancellationToken));
        routes.MapPost("/api/jobs/{id}/answer", (string id, AnswerBody body, CancellationToken cancellationToken) => Do(id, new Ask("answer", body.Answer), cancellationToken));
        routes.MapPost("/api/jobs/{id}/steer", (string id, SteerBody body, CancellationToken cancellationToken) => Do(id, new Ask("steer", body.Message), cancellationToken));
        routes.MapPost("/api/jobs/{id}/visit", async (string id, VisitBody body, CancellationToken cancellationToken) =>
        {
            if (JobReads.Find(ports, id) is not { } live)
            {
                return JobReads.NotFound;
            }

            var command = body.Command is { Length: > MaxCommand } much ? much[..MaxCommand] : body.Command;
            return await ports.BeginVisit(live, command, cancellationToken) is { } visit
                ? Results.Json(new { sandbox = visit.Sandbox.Value, provider = visit.Provider, woken = visit.WasWoken }, WebServer.Wire)
                : Results.Json(new { error = "the job has no sandbox now" }, WebServer.Wire, statusCode: StatusCodes.Status409Conflict);
        });
        routes.MapPost("/api/jobs/{id}/visit/end", async (string id, CancellationToken cancellationToken) =>
        {
            if (JobReads.Find(ports, id) is not { } live)
            {
                return JobReads.NotFound;
            }

            await ports.EndVisit(live, cancellationToken);
            return Results.Json(new { }, WebServer.Wire);
        });
        routes.MapPost("/api/specs", async (SpecBody body, CancellationToken cancellationToken) =>
        {
            // Looked at here and not by whoever asks: between a look and the order, another factory could have taken this one's place.
            if (body.Sandbox is not (null or "auto") && body.Sandbox != ports.SandboxProvider)
            {
                return Results.Json(
                    new { error = $"jobs of this factory run in {ports.SandboxProvider}, and this one is to run in another sandbox; 'drella up --sandbox' says which" },
                    WebServer.Wire,
                    statusCode: StatusCodes.Status409Conflict);
            }

            // A spec is taken whole or not at all: a part of it would ask for something else.
            var result = body.Text is { Length: <= MaxSpec } text && !string.IsNullOrWhiteSpace(text)
                ? await ports.Submit(new OpenJobRequest(text, body.Repo), cancellationToken)
                : new OpenJobResult(null, [$"the spec is empty or longer than {MaxSpec} characters"]);
            return Results.Json(
                new { job = result.Job?.Value, problems = result.Problems },
                WebServer.Wire,
                statusCode: result.Job is null ? StatusCodes.Status422UnprocessableEntity : StatusCodes.Status202Accepted);
        });
        routes.MapPost("/api/nudge", () =>
        {
            ports.Nudge();
            return Results.Accepted();
        });
    }
}
