using System.CommandLine;
using System.Globalization;
using Drella.Configuration;
using Drella.Core.Agents;
using Drella.Core.Jobs;
using Drella.Core.PullRequests;
using Drella.Terminal;
using Drella.Web;
using Drella.Web.Api;

namespace Drella.Verbs;

/// <summary><c>run</c> and <c>job …</c>: what a person sees of jobs and does to them.</summary>
internal static class JobVerbs
{
    public static IEnumerable<Command> All(Shell shell)
    {
        var spec = new Argument<FileInfo>("spec") { Description = "A spec file" };
        var repo = new Option<string?>("--repo") { Description = "Repository where the spec names none" };
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on with what happens" };
        var sandbox = new Option<string?>("--sandbox") { Description = "Hand it over only when jobs run in this: qemu or bubblewrap (default: auto, whatever the factory has)" };
        sandbox.AcceptOnlyFromAmong([.. SandboxConfig.Providers]);
        yield return shell.Verb("run", "Hand a spec to the running factory", call => RunAsync(call, spec, repo, sandbox, follow), spec, repo, sandbox, follow);

        var id = new Argument<string>("job") { Description = "A job's id, or its beginning" };
        var raw = new Option<bool>("--raw") { Description = "The agent's output byte for byte" };
        var run = new Option<int?>("--run") { Description = "Which run of the agent, from 0 (default: the last)" };
        var reason = new Option<string?>("--reason") { Description = "Why" };
        var note = new Option<string?>("--note") { Description = "What the agent is told" };
        var budget = new Option<decimal?>("--budget") { Description = "New limit in US dollars" };
        var answer = new Argument<string>("answer") { Description = "The answer" };
        var command = new Argument<string[]>("command") { Description = "Program and arguments, after --; without one a shell", Arity = ArgumentArity.ZeroOrMore };
        var message = new Argument<string>("message") { Description = "What to say" };
        yield return Shell.Group(
            "job",
            "Jobs",
            shell.Verb("ls", "List jobs", ListAsync),
            shell.Verb("show", "Show one job", call => ShowAsync(call, id), id),
            shell.Verb("log", "Show what happened and what the agent said", call => LogAsync(call, id, follow, raw, run), id, follow, raw, run),
            shell.Verb("diff", "Show the change", call => DiffAsync(call, id), id),
            shell.Verb("cancel", "End a job and close its pull request", call => PostAsync(call, id, "cancel", new { reason = call.Value(reason) }), id, reason),
            shell.Verb("retry", "Begin again from a clean sandbox", call => PostAsync(call, id, "retry", new { }), id),
            shell.Verb("continue", "Go on after a pause or an end", call => PostAsync(call, id, "continue", new { note = call.Value(note), budget = call.Value(budget) }), id, note, budget),
            shell.Verb("answer", "Answer the agent's question", call => PostAsync(call, id, "answer", new { answer = call.Value(answer) }), id, answer),
            shell.Verb("steer", "Tell the agent at work something", call => PostAsync(call, id, "steer", new { message = call.Value(message) }), id, message),
            shell.Verb("shell", "Look into the job's sandbox: a terminal, or a program with its exit code", call => ShellVerb.RunAsync(call, id, command), id, command));
    }

    private static async Task<ExitCode> RunAsync(Call call, Argument<FileInfo> argument, Option<string?> repo, Option<string?> sandbox, Option<bool> follow)
    {
        var file = call.Value(argument)!;
        if (!file.Exists)
        {
            throw new VerbFailure(ExitCode.NotFound, $"{file} is not there");
        }

        var fallback = call.Repo(repo)?.ToString();
        using var client = DaemonClient.Open(call);
        var order = new { text = await File.ReadAllTextAsync(file.FullName, call.Cancellation), repo = fallback, sandbox = call.Value(sandbox) };
        var answer = await client.PostAsync("/api/specs", order, call.Cancellation);
        var job = answer.GetProperty("job").GetString()!;
        call.Speaker.Data(new { job }, writer => writer.WriteLine(job));
        return call.Value(follow) ? await FollowAsync(call, client, job) : ExitCode.Ok;
    }

    private static async Task<ExitCode> ListAsync(Call call)
    {
        using var client = DaemonClient.Open(call);
        var jobs = await client.GetAsync<List<JobSummary>>("/api/jobs", call.Cancellation);
        call.Speaker.Data(jobs, writer => Table.Write(
            writer,
            ["JOB", "STATE", "ROUND", "SPENT", "PR", "REPO", "TITLE"],
            [.. jobs.Select(job => (IReadOnlyList<string>)[job.Id, State(job), job.Round.ToString(CultureInfo.InvariantCulture), Money(job.Spent), job.PullRequest?.ToString(CultureInfo.InvariantCulture) ?? "-", job.Repo, TerminalText.Line(job.Title, 60)])]));
        return ExitCode.Ok;
    }

    private static async Task<ExitCode> ShowAsync(Call call, Argument<string> id)
    {
        using var client = DaemonClient.Open(call);
        var found = await client.FindAsync(call.Value(id)!, call.Cancellation);
        var job = await client.GetAsync<JobView>($"/api/jobs/{found.Id}", call.Cancellation);
        call.Speaker.Data(job, writer => Show(writer, job));
        return ExitCode.Ok;
    }

    private static void Show(TextWriter writer, JobView job)
    {
        var summary = job.Summary;
        (string Name, string? Text)[] lines =
        [
            ("job", $"{summary.Id}  {State(summary)}"),
            ("title", summary.Title),
            ("repo", $"{summary.Repo} on {job.Base}"),
            ("from", $"{summary.Source} by {summary.Author}"),
            ("why", summary.Reason),
            ("pull request", summary.PullRequestUrl),
            ("spent", $"{Money(summary.Spent)} of {Money(summary.Limit)}"),
            ("sandbox", job.Sandbox is { } sandbox ? Sandbox(sandbox) : null),
            ("rounds", $"{summary.Round}, attempt {summary.Attempt}"),
            ("says", summary.Progress),
            ("asks", job.Answer is null ? job.Question : null),
            ("waits for", summary.Blockers.Count == 0 ? null : string.Join(", ", summary.Blockers)),
        ];
        foreach (var (name, text) in lines.Where(line => !string.IsNullOrEmpty(line.Text)))
        {
            writer.WriteLine($"{name,-13} {TerminalText.Line(text!, 400)}");
        }

        foreach (var row in job.Feedback)
        {
            writer.WriteLine($"{row.Key,-13} {row.Disposition?.ToString() ?? "open"}: {TerminalText.Line(row.Body, 100)}");
        }
    }

    private static string Sandbox(SandboxView sandbox) =>
        $"{sandbox.Name} ({sandbox.Provider}{(sandbox.Image is { } image ? ", " + TerminalText.Line(image, 40) : "")}), {(sandbox.Running ? "running" : "stopped")}"
        + (sandbox.KeptUntil is { } until ? string.Create(CultureInfo.InvariantCulture, $", kept until {until.ToLocalTime():yyyy-MM-dd HH:mm}") : "");

    private static async Task<ExitCode> LogAsync(Call call, Argument<string> id, Option<bool> follow, Option<bool> raw, Option<int?> run)
    {
        using var client = DaemonClient.Open(call);
        var job = await client.FindAsync(call.Value(id)!, call.Cancellation);
        var runs = (await client.GetAsync<JobView>($"/api/jobs/{job.Id}", call.Cancellation)).Transcripts.Count;
        if (call.Value(raw))
        {
            var index = call.Value(run) ?? Math.Max(0, runs - 1);
            using var response = await client.StreamAsync($"/api/jobs/{job.Id}/transcripts/{index}?follow={(call.Value(follow) ? "true" : "false")}", call.Cancellation);
            await using var output = Console.OpenStandardOutput();
            await (await response.Content.ReadAsStreamAsync(call.Cancellation)).CopyToAsync(output, call.Cancellation);
            return ExitCode.Ok;
        }

        if (call.Value(follow))
        {
            return await FollowAsync(call, client, job.Id);
        }

        for (var index = call.Value(run) ?? 0; index < (call.Value(run) + 1 ?? runs); index++)
        {
            var text = await client.TextAsync($"/api/jobs/{job.Id}/transcript/events?index={index}", call.Cancellation);
            foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                call.Speaker.Output.Write(call.Speaker.IsJson ? line + "\n" : TranscriptText.For(AgentEventJson.Read(line)));
            }
        }

        return ExitCode.Ok;
    }

    /// <summary>Says every entry until the job is over; exits by how it ended.</summary>
    private static async Task<ExitCode> FollowAsync(Call call, DaemonClient client, string job)
    {
        await foreach (var entry in client.FollowAsync(job, call.Cancellation))
        {
            call.Speaker.Output.WriteLine(call.Speaker.IsJson
                ? System.Text.Json.JsonSerializer.Serialize(entry, Drella.Web.WebServer.Wire)
                : TerminalText.Line($"{entry.At.ToLocalTime():HH:mm:ss} {entry.Text}", 400));
            if (entry.Kind == "sandbox.released")
            {
                var ended = (await client.GetAsync<JobView>($"/api/jobs/{job}", call.Cancellation)).Summary;
                return ended.Conclusion is JobConclusion.Merged ? ExitCode.Ok : ExitCode.Failed;
            }
        }

        return ExitCode.Failed;
    }

    private static async Task<ExitCode> DiffAsync(Call call, Argument<string> id)
    {
        using var client = DaemonClient.Open(call);
        var job = await client.FindAsync(call.Value(id)!, call.Cancellation);
        var diff = await client.TextAsync($"/api/jobs/{job.Id}/diff", call.Cancellation);
        call.Speaker.Data(new { job = job.Id, diff }, writer => writer.Write(TerminalText.Show(diff)));
        return ExitCode.Ok;
    }

    private static async Task<ExitCode> PostAsync(Call call, Argument<string> id, string verb, object body)
    {
        using var client = DaemonClient.Open(call);
        var job = await client.FindAsync(call.Value(id)!, call.Cancellation);
        await client.PostAsync($"/api/jobs/{job.Id}/{verb}", body, call.Cancellation);
        var after = await client.FindAsync(job.Id, call.Cancellation);
        call.Speaker.Data(after, writer => writer.WriteLine($"{after.Id}  {State(after)}"));
        return ExitCode.Ok;
    }

    private static string State(JobSummary job) => job.Conclusion?.ToString() ?? (job.Wait is { } wait ? $"Paused ({wait})" : job.Phase.ToString());

    private static string Money(decimal dollars) => PullRequestText.Money((long)(dollars * 1_000_000));
}
