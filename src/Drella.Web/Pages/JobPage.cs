using System.Globalization;
using Drella.Core.Agents;
using Drella.Core.Jobs;
using Drella.Core.Journal;
using Drella.Web.Api;

namespace Drella.Web.Pages;

/// <summary>One job: state, what a person can do, what happened, what the agent said, what reviewers said and what became of it.</summary>
internal sealed class JobPage(WebPorts ports, Job job, int page, int? run)
{
    private const int EventsPerPage = 400;
    private const int MaxShown = 6000;

    public async Task<Html> BuildAsync(CancellationToken cancellationToken)
    {
        var entries = new List<(Entry Entry, JobEntry What)>();
        await foreach (var entry in ports.Journal.ReadAsync(job.Id.Stream, 0, cancellationToken))
        {
            entries.Add((entry, JobEntryCodec.Decode(entry)));
        }

        var html = new Html().Add($"<div data-live=\"{job.Id}\" data-sequence=\"{job.Sequence}\">");
        Head(html);
        Actions(html);
        Feedback(html);
        Verdicts(html);
        await TranscriptAsync(html, cancellationToken);
        Doors(html, entries);
        Timeline(html, entries);
        return html.Raw("</div>");
    }

    private void Head(Html html)
    {
        html.Add($"<h1>{job.Request.Title}</h1><p><span class=\"state {job.Conclusion?.ToString() ?? job.Phase.ToString()}\">{(object?)job.Conclusion ?? job.Phase}</span> ");
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
            Form(html, "cancel", "Cancel", "Why");
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
            html.Add($"<tr><td class=\"pre\">{Cut(row.Row.Body)}</td><td>{row.Row.Author}</td><td>{place}</td><td>{row.Disposition?.ToString() ?? (row.IsTaken ? "being answered" : "waits")} {row.Commit?[..Math.Min(10, row.Commit.Length)]}</td></tr>");
        }

        html.Raw("</tbody></table></div></section>");
    }

    private void Verdicts(Html html)
    {
        foreach (var verdict in job.Verdicts)
        {
            html.Add($"<section><h2>{verdict.Role}: {(verdict.Passed ? "pass" : "fail")}</h2><p class=\"pre\">{verdict.Summary}</p><ul>");
            foreach (var finding in verdict.Findings)
            {
                html.Add($"<li><strong>{finding.Severity}</strong> {finding.Title} <span class=\"meta\">{finding.Path} {finding.Line}</span><br>{finding.Evidence}</li>");
            }

            html.Raw("</ul></section>");
        }
    }

    private async Task TranscriptAsync(Html html, CancellationToken cancellationToken)
    {
        if (job.Transcripts.IsEmpty)
        {
            return;
        }

        var index = Math.Clamp(run ?? (job.Transcripts.Count - 1), 0, job.Transcripts.Count - 1);
        html.Raw("<section id=\"transcript\"><h2>What the agent said and did</h2><nav aria-label=\"Runs\">");
        for (var i = 0; i < job.Transcripts.Count; i++)
        {
            html.Add($"<a href=\"?run={i}#transcript\" {Current(i == index)}>{i + 1}: {job.Transcripts[i].Role}</a> ");
        }

        html.Raw("</nav><div class=\"transcript\">");
        var count = 0;
        var transcript = JobStreams.Transcript(ports, job.Id.Value, index)!;
        await foreach (var said in JobStreams.EventsAsync(ports, transcript, cancellationToken))
        {
            var shown = Event(said);
            if (shown is null)
            {
                continue;
            }

            if (count >= page * EventsPerPage && count < (page + 1) * EventsPerPage)
            {
                html.Add($"{shown}");
            }

            count++;
        }

        html.Raw("</div><nav aria-label=\"Pages\">");
        for (var i = 0; i * EventsPerPage < count && count > EventsPerPage; i++)
        {
            html.Add($"<a href=\"?run={index}&amp;page={i}#transcript\" {Current(i == page)}>{i + 1}</a> ");
        }

        html.Raw("</nav></section>");
    }

    private static Html? Event(AgentEvent said) => said switch
    {
        AgentEvent.Said e => new Html().Add($"<p class=\"said pre\">{Cut(e.Content)}</p>"),
        AgentEvent.Thought e => new Html().Add($"<details class=\"thought\"><summary>Thinking</summary><p class=\"pre\">{Cut(e.Content)}</p></details>"),
        AgentEvent.ToolCall e => new Html().Add($"<details class=\"call\" open><summary>{e.Tool}</summary><pre>{Cut(e.Input)}</pre></details>"),
        AgentEvent.ToolResult e => new Html().Add($"<details class=\"result {(e.Ok ? "ok" : "bad")}\"><summary>{(e.Ok ? "result" : "error")}: {FirstLine(e.Output)}</summary><pre>{Cut(e.Output)}</pre></details>"),
        AgentEvent.Error e => new Html().Add($"<p class=\"bad\">{e.Class} {e.Status}: {Cut(e.Message)}</p>"),
        AgentEvent.Retry e => new Html().Add($"<p class=\"meta\">The model was not there ({e.Status}); try {e.Attempt}</p>"),
        AgentEvent.TurnEnded e => new Html().Add($"<p class=\"meta\">The turn ended: {e.Reason}</p>"),
        AgentEvent.Unparsed e => new Html().Add($"<p class=\"meta\">Not understood: {Cut(e.Start)}</p>"),
        _ => null,
    };

    private static void Doors(Html html, List<(Entry Entry, JobEntry What)> entries)
    {
        var doors = entries.Where(entry => entry.What is JobEntry.DoorUsed).Select(entry => (JobEntry.DoorUsed)entry.What).ToList();
        if (doors.Count == 0)
        {
            return;
        }

        html.Add($"<section><h2>At the doors</h2><p class=\"meta\">{doors.Count(door => !door.Allowed)} denied, {doors.Count(door => door.Allowed)} allowed</p><div class=\"wide\"><table><tbody>");
        foreach (var group in doors.GroupBy(door => door).OrderBy(group => group.Key.Allowed).Take(200))
        {
            html.Add($"<tr><td>{group.Key.Door}</td><td>{group.Key.Target}</td><td>{(group.Key.Allowed ? "allowed" : "denied")}</td><td>{group.Key.Rule}</td><td>{group.Count()}×</td></tr>");
        }

        html.Raw("</tbody></table></div></section>");
    }

    private static void Timeline(Html html, List<(Entry Entry, JobEntry What)> entries)
    {
        html.Add($"<section><h2>Journal</h2><p class=\"meta\">{entries.Count} entries; the newest first</p><ol class=\"timeline\" reversed>");
        foreach (var (entry, what) in entries.AsEnumerable().Reverse().Take(1000))
        {
            html.Add($"<li value=\"{entry.Sequence}\"><time>{entry.At:HH:mm:ss.fff}</time> {Cut(EntryText.For(what))}</li>");
        }

        html.Raw("</ol></section>");
    }

    private Html Link(string url, string text) =>
        ports.ForgeUrl is { } forge && url.StartsWith(forge.TrimEnd('/') + "/", StringComparison.Ordinal)
            ? new Html().Add($"<a href=\"{url}\" rel=\"noreferrer\">{text}</a>")
            : new Html().Add($"{text}: {url}");

    private static Html Current(bool isCurrent) => new Html().Raw(isCurrent ? "aria-current=\"page\"" : "");

    private static string Cut(string text) => text.Length <= MaxShown ? text : text[..MaxShown] + "… (cut; the raw transcript has it all)";

    private static string FirstLine(string text)
    {
        var line = text.AsSpan().Trim();
        var end = line.IndexOf('\n');
        line = end < 0 ? line : line[..end];
        return line.Length <= 100 ? line.ToString() : line[..100].ToString() + "…";
    }
}
