using System.Globalization;
using Drella.Core.Jobs;

namespace Drella.Web.Pages;

/// <summary>One job: state, what a person can do, what happened, what the agent said, what reviewers said and what became of it.</summary>
internal sealed class JobPage(WebPorts ports, Job job, int? page, int? run)
{
    public async Task<Html> BuildAsync(CancellationToken cancellationToken)
    {
        var digest = new JournalDigest();
        await foreach (var entry in ports.Journal.ReadAsync(job.Id.Stream, 0, cancellationToken))
        {
            digest.Take(entry, JobEntryCodec.Decode(entry));
        }

        var html = new Html().Add($"<div data-live=\"{job.Id}\" data-sequence=\"{job.Sequence}\">");
        Head(html);
        Actions(html);
        Feedback(html);
        Claims(html);
        digest.AddVerdicts(html);
        await new TranscriptPart(ports, job, page, run).AddAsync(html, cancellationToken);
        digest.Add(html);
        return html.Raw("</div>");
    }

    private void Head(Html html)
    {
        html.Add($"<h1>{job.Request.Title}</h1><p>{Dashboard.State(job)} ");
        html.Add($"{job.Request.Repo}, asked for by {job.Request.Source.Author} · attempt {job.Attempt}, round {job.Round} · job <code>{job.Id}</code></p>");
        if (job.Reason is { } reason)
        {
            html.Add($"<p class=\"reason\">{reason}</p>");
        }

        if (job.PullRequest is { } pull)
        {
            html.Add($"<p>{Link(pull.Url, $"Pull request {pull.Number}")}</p>");
        }

        if (job is { Question: { } question, Answer: null })
        {
            html.Add($"<section class=\"question\"><h2>The agent asks</h2><p class=\"pre\">{question.Question}</p>");
            foreach (var option in question.Options)
            {
                html.Add($"<p>• {option}</p>");
            }

            html.Raw("</section>");
        }

        html.Add($"{Dashboard.Spend(job)}<details><summary>The spec</summary><pre>{job.Request.Text}</pre></details>");
    }

    private void Actions(Html html)
    {
        html.Raw("<section class=\"actions\" aria-label=\"Actions\">");
        if (job is { Question: not null, Answer: null })
        {
            Form(html, "answer", "Answer", "Your answer");
        }

        if (job is { IsStepOpen: true, Step: StepName.Work or StepName.Judge })
        {
            Form(html, "steer", "Tell the agent", "A message for its running turn");
        }

        if (job.Wait is not null || job.Conclusion is JobConclusion.NeedsHuman or JobConclusion.Failed)
        {
            html.Add($"<form method=\"post\" action=\"/jobs/{job.Id}/continue\"><label>Note <input name=\"text\"></label> <label>Budget, $ <input name=\"budget\" inputmode=\"decimal\" size=\"6\"></label> <button>Continue</button></form>");
        }

        if (job.Conclusion is not null and not JobConclusion.Merged)
        {
            html.Add($"<form method=\"post\" action=\"/jobs/{job.Id}/retry\"><button>Retry from a clean sandbox</button></form>");
        }

        if (job.Conclusion is null)
        {
            Form(html, "cancel", "Cancel the job", "Reason");
        }

        html.Raw("</section>");
    }

    private void Form(Html html, string verb, string button, string label) =>
        html.Add($"<form method=\"post\" action=\"/jobs/{job.Id}/{verb}\"><label>{label} <input name=\"text\"></label> <button>{button}</button></form>");

    private void Feedback(Html html)
    {
        if (job.Feedback.IsEmpty)
        {
            return;
        }

        html.Raw("<section><h2>Remarks</h2><div class=\"wide\"><table><thead><tr><th>Remark</th><th>By</th><th>Where</th><th>What became of it</th></tr></thead><tbody>");
        foreach (var row in job.Feedback.Values.OrderBy(row => row.Order))
        {
            var place = row.Row.Path is null ? "" : $"{row.Row.Path}:{row.Row.Line?.ToString(CultureInfo.InvariantCulture)}";
            html.Add($"<tr><td class=\"pre\">{Html.Cut(row.Row.Body)}</td><td>{row.Row.Author}</td><td>{place}</td><td>{row.Disposition?.ToString() ?? (row.IsTaken ? "being answered" : "waits")} {row.Commit?[..Math.Min(10, row.Commit.Length)]}{(row.Reply is { } reply ? ": " + Html.Cut(reply.Body) : "")}</td></tr>");
        }

        html.Raw("</tbody></table></div></section>");
    }

    private void Claims(Html html)
    {
        if (job.Proposal is not { Requirements: { Count: > 0 } claims })
        {
            return;
        }

        html.Raw("<section><h2>Requirements</h2><p class=\"meta\">What the agent says of them; a claim, not evidence</p><div class=\"wide\"><table><thead><tr><th>#</th><th>Requirement</th><th>Claim</th><th>Evidence it gives</th></tr></thead><tbody>");
        foreach (var claim in claims)
        {
            var text = int.TryParse(claim.Id, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? job.Request.AcceptanceCriteria.ElementAtOrDefault(number - 1) : null;
            html.Add($"<tr><td>{claim.Id}</td><td>{text}</td><td>{claim.Status}</td><td class=\"pre\">{Html.Cut(claim.Evidence)}</td></tr>");
        }

        html.Raw("</tbody></table></div></section>");
    }

    private Html Link(string url, string text) =>
        ports.ForgeUrl is { } forge && url.StartsWith(forge.TrimEnd('/') + "/", StringComparison.Ordinal)
            ? new Html().Add($"<a href=\"{url}\" rel=\"noreferrer\">{text}</a>")
            : new Html().Add($"{text}: {url}");
}
