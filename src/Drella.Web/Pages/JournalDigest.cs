using Drella.Core.Jobs;
using Drella.Core.Journal;
using Drella.Core.PullRequests;

namespace Drella.Web.Pages;

/// <summary>What a page shows of a journal of any length: the newest entries, who stood at the doors, and what the models cost.</summary>
internal sealed class JournalDigest
{
    private const int Newest = 1000;
    private const int MostDoors = 200;
    private const int MostVerdicts = 20;

    private readonly Queue<(long Sequence, DateTimeOffset At, string Text)> newest = new();
    private readonly Queue<JobEntry.VerdictGiven> verdicts = new();
    private readonly Dictionary<JobEntry.DoorUsed, int> doors = [];
    private readonly SortedDictionary<string, Spending> spending = new(StringComparer.Ordinal);
    private long entries;
    private long allowed;
    private long denied;

    public void Take(Entry entry, JobEntry what)
    {
        entries++;
        newest.Enqueue((entry.Sequence, entry.At, Html.Cut(EntryText.For(what))));
        if (newest.Count > Newest)
        {
            newest.Dequeue();
        }

        switch (what)
        {
            case JobEntry.VerdictGiven verdict:
                verdicts.Enqueue(verdict);
                if (verdicts.Count > MostVerdicts)
                {
                    verdicts.Dequeue();
                }

                break;
            case JobEntry.DoorUsed door:
                Take(door);
                break;
            case JobEntry.CallSettled call when spending.Count < MostDoors || spending.ContainsKey(call.Model):
                spending[call.Model] = spending.GetValueOrDefault(call.Model, new Spending()).With(call);
                break;
        }
    }

    public void Add(Html html)
    {
        AddSpending(html);
        AddDoors(html);
        html.Add($"<section><h2>Journal</h2><p class=\"meta\">{entries} entries, the newest first{(entries > Newest ? $"; the {entries - Newest} oldest are left out" : "")}; times are UTC</p><ol class=\"timeline\" reversed>");
        foreach (var (sequence, at, text) in newest.Reverse())
        {
            html.Add($"<li value=\"{sequence}\"><time datetime=\"{at.UtcDateTime:yyyy-MM-ddTHH:mm:ss.fffZ}\">{at.UtcDateTime:HH:mm:ss}</time> {text}</li>");
        }

        html.Raw("</ol></section>");
    }

    /// <summary>The verdicts of every round, the newest first.</summary>
    public void AddVerdicts(Html html)
    {
        foreach (var verdict in verdicts.Reverse())
        {
            html.Add($"<section><h2>Verdict of {verdict.Role}: <span class=\"{(verdict.Passed ? "good" : "bad")}\">{(verdict.Passed ? "pass" : "fail")}</span></h2><p class=\"pre\">{Html.Cut(verdict.Summary)}</p><ul>");
            foreach (var finding in verdict.Findings.Take(100))
            {
                html.Add($"<li><strong>{finding.Severity}</strong> {finding.Title} <span class=\"meta\">{finding.Path} {finding.Line}</span><br>{Html.Cut(finding.Evidence)}</li>");
            }

            html.Raw("</ul></section>");
        }
    }

    private void Take(JobEntry.DoorUsed door)
    {
        _ = door.Allowed ? allowed++ : denied++;
        if (doors.Count < MostDoors || doors.ContainsKey(door))
        {
            doors[door] = doors.GetValueOrDefault(door) + 1;
        }
    }

    private void AddSpending(Html html)
    {
        if (spending.Count == 0)
        {
            return;
        }

        html.Raw("<section><h2>Spending</h2><div class=\"wide\"><table><thead><tr><th>Model</th><th>Calls</th><th>Tokens in</th><th>Tokens out</th><th>Cost</th></tr></thead><tbody>");
        foreach (var (model, spent) in spending)
        {
            html.Add($"<tr><td>{(model.Length == 0 ? "(not known)" : model)}</td><td>{spent.Calls:N0}</td><td>{spent.Input:N0}</td><td>{spent.Output:N0}</td><td>{PullRequestText.Money(spent.Cost)}</td></tr>");
        }

        html.Raw("</tbody></table></div></section>");
    }

    private void AddDoors(Html html)
    {
        if (doors.Count == 0)
        {
            return;
        }

        html.Add($"<section><h2>At the doors</h2><p class=\"meta\">{denied:N0} denied, {allowed:N0} allowed</p><div class=\"wide\"><table><thead><tr><th>Door</th><th>Target</th><th>Decision</th><th>Rule</th><th>Times</th></tr></thead><tbody>");
        foreach (var (door, times) in doors.OrderBy(pair => pair.Key.Allowed))
        {
            html.Add($"<tr><td>{door.Door}</td><td>{Html.Cut(door.Target)}</td><td class=\"{(door.Allowed ? "good" : "bad")}\">{(door.Allowed ? "allowed" : "denied")}</td><td>{door.Rule}</td><td>{times:N0}</td></tr>");
        }

        html.Raw("</tbody></table></div></section>");
    }

    private sealed record Spending(long Calls = 0, long Input = 0, long Output = 0, long Cost = 0)
    {
        public Spending With(JobEntry.CallSettled call) =>
            new(Calls + 1, Input + call.Input + call.CacheRead + call.CacheWrite, Output + call.Output, Cost + call.Cost);
    }
}
