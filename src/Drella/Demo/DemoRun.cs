using System.Globalization;
using System.Text.Json;
using Drella.Configuration;
using Drella.Core.Forges;
using Drella.Core.Jobs;
using Drella.Core.PullRequests;
using Drella.Daemon;
using Microsoft.Extensions.Logging;

namespace Drella.Demo;

/// <param name="Live">Ask the real model instead of playing the tape.</param>
/// <param name="Json">One JSON document on standard output at the end.</param>
/// <param name="Keep">Go on serving when it is over, for a look.</param>
/// <param name="Folder">Where everything goes; null for a fresh folder under the temporary folder.</param>
/// <param name="Sandbox">What the job runs in, as <c>sandbox.provider</c> takes it.</param>
internal sealed record DemoOptions(bool Live, bool Json, bool Keep, string? Folder, string Sandbox = "auto");

/// <summary>What the demo did; the shape of <c>drella demo --json</c>.</summary>
internal sealed record DemoResult
{
    public required bool Ok { get; init; }

    public required string? Problem { get; init; }

    public required string Folder { get; init; }

    public string? Forge { get; init; }

    public string? Dashboard { get; init; }

    public string? Sandbox { get; init; }

    public string? Job { get; init; }

    public string? PullRequest { get; init; }

    public int Rounds { get; init; }

    public int RemarksAnswered { get; init; }

    public decimal SpentDollars { get; init; }

    public long JournalEntries { get; init; }

    public double Seconds { get; init; }
}

/// <summary>
/// Does the main job once, from a merged spec to a merged pull request, with every part real but, without <c>--live</c>, the model's answers.
/// It is the person in the story; the factory does the rest.
/// </summary>
internal sealed class DemoRun(DemoOptions options, TextWriter output, TextWriter talk, TimeProvider time)
{
    private const string TargetRepo = "factory/greeter";
    private const string TasksRepo = "factory/tasks";
    private const string SpecName = "greet-loudly";
    private static readonly JsonSerializerOptions Wire = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    private readonly string folder = options.Folder is { } named ? Path.GetFullPath(named) : Directory.CreateTempSubdirectory("drella-demo-").FullName;
    private readonly DemoTalk say = new(talk, time);
    private Daemon.Daemon? daemon;
    private WebHost? web;
    private Task running = Task.CompletedTask;

    public static string Shipped(string path) => Path.Combine(AppContext.BaseDirectory, "demo", path);

    /// <summary>Runs the demo and shows its result; true when all of it happened.</summary>
    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            var problem = await TryAsync(stop.Token);
            var result = await ResultAsync(problem, time.GetElapsedTime(started), cancellationToken);
            Show(result);
            if (options.Keep && daemon is not null)
            {
                say.Line("Still serving; Ctrl-C ends it.");
                await running.WaitAsync(cancellationToken);
            }

            return result.Ok;
        }
        finally
        {
            await stop.CancelAsync();
            await running;
            await (web?.DisposeAsync() ?? default);
            await (daemon?.DisposeAsync() ?? default);
        }
    }

    /// <summary>Returns what went wrong, or null.</summary>
    private async Task<string?> TryAsync(CancellationToken cancellationToken)
    {
        try
        {
            await StartAsync(cancellationToken);
            await PrepareAsync(cancellationToken);
            running = daemon!.RunAsync(cancellationToken);
            return await TellAsync(cancellationToken);
        }
        catch (Exception error) when (error is StartFailure or Core.DriverException or HttpRequestException or IOException or UnauthorizedAccessException)
        {
            return error.Message;
        }
    }

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        say.Step("The factory");
        Directory.CreateDirectory(folder);
        var file = Path.Combine(folder, ConfigLoader.FileName);
        await File.WriteAllTextAsync(file, Configuration(), cancellationToken);
        File.Copy(Shipped("tape.yaml"), Path.Combine(folder, "tape.yaml"), overwrite: true);
        var config = ConfigLoader.Load(file, isOptional: false);
        var log = Path.Combine(folder, "drella.log");
        var loggers = LoggerFactory.Create(builder => builder.AddProvider(new LogFile(log, time)).AddFilter("Microsoft", LogLevel.Warning).AddFilter("ModelContextProtocol", LogLevel.Warning));
        if (options.Sandbox == SandboxChoice.Qemu)
        {
            await new DemoImage(config.Config!, say, time).EnsureAsync(cancellationToken);
        }

        daemon = await Daemon.Daemon.StartAsync(config.Config!, time, loggers, cancellationToken);
        web = await WebHost.StartAsync(daemon, time, loggers, cancellationToken);
        var probe = await daemon.Sandboxes.ProbeAsync(cancellationToken);
        if (!probe.Works)
        {
            throw new StartFailure($"sandboxes do not work here: {probe.Problem}. {probe.Remedy}");
        }

        say.Line($"forge      {daemon.Builtin!.Url}  (user {BuiltinForge.Human}, token in {Path.Combine(folder, "data", "secrets", "forge-operator")})");
        say.Line($"dashboard  {web.LoginUrl}");
        say.Line($"journal    {Path.Combine(folder, "data", "journal.db")}");
        say.Line($"log        {log}");
        say.Line($"sandbox    {probe.Provider}; it does not contain: {(probe.NotContained.Count == 0 ? "nothing that we know of" : string.Join(" ", probe.NotContained))}");
        foreach (var note in probe.Notes)
        {
            say.Line($"           {note}");
        }

        say.Line(options.Live ? "model      the real one" : "model      a tape: its answers are written down, everything else is real");
    }

    /// <summary>One job gains nothing from a template that is made beside it: the demo waits for it and says so.</summary>
    private async Task PrepareAsync(CancellationToken cancellationToken)
    {
        if (daemon!.Providers.Prepared is { IsCompleted: false } preparing)
        {
            say.Line("booting a machine for the others to start from …");
            var began = time.GetTimestamp();
            await preparing.WaitAsync(cancellationToken);
            say.Line(string.Create(CultureInfo.InvariantCulture, $"done after {time.GetElapsedTime(began).TotalSeconds:0} s"));
        }
    }

    /// <summary>The story. Returns what went wrong, or null.</summary>
    private async Task<string?> TellAsync(CancellationToken cancellationToken)
    {
        using var person = new ForgePerson(daemon!.Builtin!.Url, daemon.Builtin.HumanToken);
        say.Step("A target project and a merged spec");
        var root = Shipped("target");
        var files = Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).ToDictionary(path => Path.GetRelativePath(root, path), File.ReadAllText);
        await BuiltinForge.EnsureRepositoryAsync(daemon.Builtin.Admin, RepoName.Parse(TargetRepo), files, cancellationToken);
        var specPull = await person.MergeFileAsync(TasksRepo, $"in-progress/{SpecName}.md", await File.ReadAllTextAsync(Shipped("spec.md"), cancellationToken), "Greet loudly", cancellationToken);
        say.Line($"merged {new Uri(daemon.Builtin.Url, $"/{TasksRepo}/pull/{specPull}")}");
        daemon.Factory.Nudge();

        say.Step("The factory works");
        var open = await FollowAsync(job => job is { Phase: JobPhase.InReview, Step: null }, cancellationToken);
        if (open.Conclusion is not null)
        {
            return $"the job ended with {open.Conclusion}: {open.Reason}";
        }

        say.Line($"pull request {open.PullRequest!.Url}");
        say.Step("A review asks for more");
        await person.ReviewAsync(
            TargetRepo,
            open.PullRequest.Number,
            "Good. The command line should offer it too.",
            [("greet.js", 1, "Please describe the option, and give it a default.")],
            cancellationToken);
        daemon.Factory.Nudge();
        var updated = await FollowAsync(job => job is { Phase: JobPhase.InReview, Step: null, Feedback.Count: >= 2 } && !job.OpenFeedback.Any(), cancellationToken);
        if (updated.Conclusion is not null)
        {
            return $"the job ended with {updated.Conclusion}: {updated.Reason}";
        }

        foreach (var row in updated.Feedback.Values.OrderBy(row => row.Order))
        {
            say.Line($"{row.Row.Key}: {row.Disposition}{(row.Commit is { } commit ? " in " + commit[..10] : "")}");
        }

        say.Step("The merge");
        await person.MergeAsync(TargetRepo, open.PullRequest.Number, cancellationToken);
        daemon.Factory.Nudge();
        var done = await FollowAsync(job => job is { Conclusion: not null, Step: null }, cancellationToken);
        if (done.Conclusion != JobConclusion.Merged)
        {
            return $"the job ended with {done.Conclusion}: {done.Reason}";
        }

        var doneFolder = await person.FolderAsync(TasksRepo, "done", cancellationToken);
        say.Line($"done/ holds {string.Join(", ", doneFolder.Where(name => name != ".gitkeep"))}");
        return doneFolder.Contains($"{SpecName}.md") ? null : "the spec was not moved to done/";
    }

    /// <summary>Says what happens until the job is so, or over.</summary>
    private async Task<Job> FollowAsync(Func<Job, bool> isThere, CancellationToken cancellationToken)
    {
        var there = new TaskCompletionSource<Job>(TaskCreationOptions.RunContinuationsAsynchronously);
        void Look(LiveJob live)
        {
            say.Progress(live.Job);
            if (isThere(live.Job) || live.Job is { Conclusion: not null, Step: null })
            {
                there.TrySetResult(live.Job);
            }
        }

        daemon!.Core.Jobs.Changed += Look;
        try
        {
            foreach (var live in daemon.Core.Jobs.All)
            {
                Look(live);
            }

            return await there.Task.WaitAsync(options.Live || daemon.Providers.IsSlow ? TimeSpan.FromMinutes(60) : TimeSpan.FromMinutes(5), time, cancellationToken);
        }
        catch (TimeoutException)
        {
            throw new StartFailure($"nothing more happened; the log is {Path.Combine(folder, "drella.log")}");
        }
        finally
        {
            daemon.Core.Jobs.Changed -= Look;
        }
    }

    private async Task<DemoResult> ResultAsync(string? problem, TimeSpan elapsed, CancellationToken cancellationToken)
    {
        var job = daemon?.Core.Jobs.All.Select(live => live.Job).FirstOrDefault();
        var chain = daemon is null ? null : await daemon.Store.Journal.VerifyAsync(null, cancellationToken);
        problem ??= chain?.FirstBad is { } bad ? $"the journal's chain breaks at {bad.Stream} {bad.Sequence}: {bad.What}" : null;
        return new DemoResult
        {
            Ok = problem is null,
            Problem = problem,
            Folder = folder,
            Forge = daemon?.Builtin?.Url.ToString(),
            Dashboard = web?.LoginUrl,
            Sandbox = daemon?.Providers.Provider.Name,
            Job = job?.Id.Value,
            PullRequest = job?.PullRequest?.Url,
            Rounds = job?.Round ?? 0,
            RemarksAnswered = job?.Feedback.Values.Count(row => row.Disposition is not null) ?? 0,
            SpentDollars = (job?.Spent ?? 0) / 1_000_000m,
            JournalEntries = chain?.Entries ?? 0,
            Seconds = Math.Round(elapsed.TotalSeconds, 1),
        };
    }

    private void Show(DemoResult result)
    {
        if (options.Json)
        {
            output.WriteLine(JsonSerializer.Serialize(result, Wire));
            return;
        }

        say.Step(result.Ok ? "Done" : "Not done");
        output.WriteLine(result.Ok
            ? $"From a merged spec to a merged pull request in {result.Seconds.ToString(CultureInfo.InvariantCulture)} s: job {result.Job}, {result.Rounds} rounds, {result.RemarksAnswered} remarks answered, {PullRequestText.Money((long)(result.SpentDollars * 1_000_000))} spent, {result.JournalEntries} journal entries, chain intact."
            : $"It did not work: {result.Problem}");
        output.WriteLine($"Everything is in {result.Folder}");
    }

    private string Configuration() =>
        $$"""
        version: 1
        data: data
        listen: http://127.0.0.1:0
        poll_interval: 1s
        forge: { kind: builtin, listen: "http://127.0.0.1:0" }
        tasks: [ { repo: {{TasksRepo}} } ]
        repositories: [ "factory/*" ]
        sandbox: { provider: {{options.Sandbox}} }
        model: {{(options.Live ? "{ upstream: anthropic }" : "{ upstream: tape, tape: tape.yaml }")}}
        """;
}
