using System.Globalization;
using Drella.Core.Jobs;
using Drella.Core.PullRequests;
using Drella.Web.Api;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Drella.Web.Pages;

/// <summary>The pages: lanes of jobs, and one job with all that is known of it.</summary>
internal static class Dashboard
{
    private const int LaneLength = 50;
    private static readonly (string Name, Func<Job, bool> Holds)[] Lanes =
    [
        ("Needs a person", job => job.Conclusion == JobConclusion.NeedsHuman || job.Wait is not null),
        ("Waiting", job => job is { Phase: JobPhase.Queued, Conclusion: null }),
        ("Working", job => job.Phase is JobPhase.Provisioning or JobPhase.Working or JobPhase.Judging or JobPhase.Publishing && job.Wait is null),
        ("In review", job => job is { Phase: JobPhase.InReview, Wait: null }),
        ("Done", job => job.Conclusion is not null and not JobConclusion.NeedsHuman),
    ];

    public static void Map(IEndpointRouteBuilder routes, WebPorts ports)
    {
        var operation = new Operator(ports);
        routes.MapGet("/assets/{file}", Asset);
        routes.MapGet("/", () => Page("Jobs", Overview(ports)));
        routes.MapGet("/jobs/{id}", async (string id, int? page, int? run, CancellationToken cancellationToken) => JobReads.Find(ports, id) is { } live
            ? Page(live.Job.Request.Title, await new JobPage(ports, live.Job, page, run).BuildAsync(cancellationToken))
            : Absent);
        foreach (var verb in Ask.Verbs)
        {
            routes.MapPost($"/jobs/{{id}}/{verb}", async (string id, HttpRequest request, CancellationToken cancellationToken) =>
                await ActAsync(operation, id, verb, request, cancellationToken));
        }
    }

    private static IResult Absent => Page("Not here", new Html().Raw("<h1>Not here</h1><p>There is no such job.</p>"), StatusCodes.Status404NotFound);

    private static async Task<IResult> ActAsync(Operator operation, string id, string verb, HttpRequest request, CancellationToken cancellationToken)
    {
        if (!request.HasFormContentType)
        {
            return Results.StatusCode(StatusCodes.Status415UnsupportedMediaType);
        }

        var form = await request.ReadFormAsync(cancellationToken);
        var amount = form["budget"].ToString().Trim();
        decimal? budget = amount.Length == 0 ? null : decimal.TryParse(amount, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var dollars) ? dollars : 0;
        var outcome = await operation.DoAsync(id, new Ask(verb, form["text"].ToString(), budget), cancellationToken);
        return outcome switch
        {
            { Status: StatusCodes.Status404NotFound } => Absent,
            { Refusal: { } why } => Page("Not done", new Html().Add($"<h1>Not done</h1><p role=\"alert\">{why}</p><p><a href=\"/jobs/{id}\">Back to the job</a></p>"), outcome.Status),
            _ => Results.LocalRedirect($"/jobs/{id}"),
        };
    }

    private static Html Overview(WebPorts ports)
    {
        var all = ports.Jobs.All.Select(live => live.Job).ToList();
        var page = new Html().Raw("<h1 class=\"quiet\">Jobs</h1><div class=\"lanes\" data-live=\"/\">");
        foreach (var (name, holds) in Lanes)
        {
            var jobs = all.Where(holds).OrderByDescending(job => job.ChangedAt).ToList();
            page.Add($"<section><h2>{name} <span class=\"count\">{jobs.Count}</span></h2>");
            foreach (var job in jobs.Take(LaneLength))
            {
                page.Add($"{Card(ports, job, all)}");
            }

            if (jobs.Count > LaneLength)
            {
                page.Add($"<p class=\"none\">and {jobs.Count - LaneLength} older ones; 'drella job ls' lists all</p>");
            }

            page.Raw(jobs.Count == 0 ? "<p class=\"none\">None</p></section>" : "</section>");
        }

        return page.Raw("</div>");
    }

    private static Html Card(WebPorts ports, Job job, IEnumerable<Job> all)
    {
        var blockers = job.Phase == JobPhase.Queued ? QueuePolicy.Blockers(job, all) : [];
        var card = new Html().Add($"<article class=\"card\"><h3><a href=\"/jobs/{job.Id}\">{job.Request.Title}</a></h3>");
        card.Add($"<p class=\"meta\">{job.Request.Repo} · by {job.Request.Source.Author} · {Age(ports.Time.GetUtcNow() - job.OpenedAt)}</p>");
        card.Add($"<p>{State(job)}</p>");
        if (job is { Conclusion: null, Progress: { } progress })
        {
            card.Add($"<p>{Html.Cut(progress.Text)}{(progress.Percent is { } percent ? $" ({percent} %)" : "")}</p>");
        }

        if (blockers.Count > 0)
        {
            card.Add($"<p class=\"meta\">waits for {string.Join(", ", blockers.Select(key => key.Split(':')[^1]))}</p>");
        }

        if (job.Reason is { } reason)
        {
            card.Add($"<p class=\"reason\">{reason}</p>");
        }

        card.Add($"{Spend(job)}");
        return card.Raw("</article>");
    }

    /// <summary>Where the job is, or how it ended, in words.</summary>
    internal static Html State(Job job)
    {
        var word = job switch
        {
            { Conclusion: JobConclusion.NeedsHuman } => "Needs a person",
            { Conclusion: { } conclusion } => conclusion.ToString(),
            { Wait.Kind: WaitKind.Budget } => "Paused: budget",
            { Wait: not null } => "Paused: question",
            { Phase: JobPhase.InReview } => "In review",
            _ => job.Phase.ToString(),
        };
        return new Html().Add($"<span class=\"state {(job.Wait is null ? job.Conclusion?.ToString() ?? job.Phase.ToString() : "Paused")}\">{word}</span>");
    }

    /// <summary>How much of the budget is gone.</summary>
    internal static Html Spend(Job job) => new Html().Add(
        $"<p class=\"spend\"><progress max=\"{Math.Max(1, job.BudgetLimit)}\" value=\"{Math.Min(job.Spent + job.Reserved, job.BudgetLimit)}\" aria-label=\"spent\"></progress> {PullRequestText.Money(job.Spent)} of {PullRequestText.Money(job.BudgetLimit)}</p>");

    internal static string Age(TimeSpan age) => age switch
    {
        { TotalMinutes: < 1 } => "just now",
        { TotalHours: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{(int)age.TotalMinutes} min ago"),
        { TotalDays: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{(int)age.TotalHours} h ago"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{(int)age.TotalDays} d ago"),
    };

    private static IResult Page(string title, Html body, int status = StatusCodes.Status200OK)
    {
        var page = new Html().Raw("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
        page.Add($"<title>{title} · drella</title>");
        page.Raw("<link rel=\"stylesheet\" href=\"/assets/drella.css\"><script src=\"/assets/drella.js\" defer></script></head><body><a class=\"skip\" href=\"#main\">Skip to content</a><header><a href=\"/\">drella</a></header><main id=\"main\">");
        page.Add($"{body}");
        return Results.Content(page.Raw("</main></body></html>").ToString(), "text/html; charset=utf-8", statusCode: status);
    }

    private static IResult Asset(string file)
    {
        var type = file switch { "drella.css" => "text/css", "drella.js" => "text/javascript", _ => null };
        var stream = type is null ? null : typeof(Dashboard).Assembly.GetManifestResourceStream("assets." + file);
        return stream is null ? Results.NotFound() : Results.Stream(stream, type);
    }
}
