using Drella.Core.Agents;
using Drella.Core.Jobs;
using Drella.Web.Api;

namespace Drella.Web.Pages;

/// <summary>One page of what the agent said and did in one run. Without a page given: the newest of a run that goes on, else the first.</summary>
internal sealed class TranscriptPart(WebPorts ports, Job job, int? page, int? run)
{
    private const int EventsPerPage = 400;

    public async Task AddAsync(Html html, CancellationToken cancellationToken)
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
        var isGrowing = index == job.Transcripts.Count - 1 && job is { IsStepOpen: true, Step: StepName.Work or StepName.Judge };
        var (shown, first, hasMore) = await PageAsync(index, page is null && isGrowing ? null : Math.Max(0, page ?? 0), cancellationToken);
        foreach (var part in shown)
        {
            html.Add($"{part}");
        }

        html.Raw(shown.Count == 0 ? "<p class=\"none\">Nothing here</p></div><nav aria-label=\"Pages\">" : "</div><nav aria-label=\"Pages\">");
        var current = first / EventsPerPage;
        if (first > 0)
        {
            html.Add($"<a href=\"?run={index}&amp;page=0#transcript\">First</a> <a href=\"?run={index}&amp;page={Math.Max(0, current - 1)}#transcript\">Earlier</a> ");
        }

        if (hasMore)
        {
            html.Add($"<a href=\"?run={index}&amp;page={current + 1}#transcript\">Later</a> ");
        }

        html.Add($"<a href=\"/api/jobs/{job.Id}/transcripts/{index}\" download=\"{job.Id}-{index}.txt\">Raw transcript</a></nav></section>");
    }

    // A page that is asked for is read up to its end and no further; the newest needs the whole run, of which one page is held.
    private async Task<(IReadOnlyCollection<Html> Shown, int First, bool HasMore)> PageAsync(int index, int? wanted, CancellationToken cancellationToken)
    {
        var shown = new Queue<Html>();
        var count = 0;
        var transcript = JobStreams.Transcript(ports, job.Id.Value, index.ToString(System.Globalization.CultureInfo.InvariantCulture))!;
        await foreach (var said in JobStreams.EventsAsync(ports, transcript, cancellationToken))
        {
            if (Show(said) is not { } part)
            {
                continue;
            }

            if (wanted is { } number && count >= ((long)number + 1) * EventsPerPage)
            {
                return (shown, number * EventsPerPage, true);
            }

            if (wanted is null || count >= (long)wanted * EventsPerPage)
            {
                shown.Enqueue(part);
            }

            if (shown.Count > EventsPerPage)
            {
                shown.Dequeue();
            }

            count++;
        }

        return (shown, count - shown.Count, false);
    }

    private static Html? Show(AgentEvent said) => said switch
    {
        AgentEvent.Said e => new Html().Add($"<p class=\"said pre\">{Html.Cut(e.Content)}</p>"),
        AgentEvent.Thought e => new Html().Add($"<details class=\"thought\"><summary>Thinking</summary><p class=\"pre\">{Html.Cut(e.Content)}</p></details>"),
        AgentEvent.ToolCall e => new Html().Add($"<details class=\"call\" open><summary>{e.Tool}</summary><pre tabindex=\"0\">{Html.Cut(e.Input)}</pre></details>"),
        AgentEvent.ToolResult e => new Html().Add(
            $"<details class=\"result {(e.Ok ? "ok" : "bad")}\"><summary>{(e.Ok ? "result" : "error")}: {FirstLine(e.Output)}</summary><pre tabindex=\"0\">{Html.Cut(e.Output)}</pre></details>"),
        AgentEvent.Permission e => new Html().Add($"<p class=\"bad\">{e.Tool} was refused inside: {Html.Cut(e.Reason)}</p>"),
        AgentEvent.InputTaken e => new Html().Add($"<details class=\"told\"><summary>Told: {FirstLine(e.Content)}</summary><p class=\"pre\">{Html.Cut(e.Content)}</p></details>"),
        AgentEvent.Compaction => new Html().Raw("<p class=\"meta\">It shortened its context</p>"),
        AgentEvent.Error e => new Html().Add($"<p class=\"bad\">{e.Class} {e.Status}: {Html.Cut(e.Message)}</p>"),
        AgentEvent.Retry e => new Html().Add($"<p class=\"meta\">The model was not there ({e.Status}); try {e.Attempt}</p>"),
        AgentEvent.TurnEnded e => new Html().Add($"<p class=\"meta\">The turn ended: {e.Reason}</p>"),
        AgentEvent.Notice { Kind: var kind } when kind.StartsWith("drella/", StringComparison.Ordinal) => new Html().Add($"<p class=\"meta\">{kind}</p>"),
        AgentEvent.Unparsed e => new Html().Add($"<p class=\"meta\">Not understood: {Html.Cut(e.Start)}</p>"),
        _ => null,
    };

    private static Html Current(bool isCurrent) => new Html().Raw(isCurrent ? "aria-current=\"page\"" : "");

    private static string FirstLine(string text)
    {
        var line = text.AsSpan().Trim();
        var end = line.IndexOf('\n');
        line = end < 0 ? line : line[..end];
        return line.Length <= 100 ? line.ToString() : line[..100].ToString() + "…";
    }
}
