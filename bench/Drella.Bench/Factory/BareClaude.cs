using System.Diagnostics;
using Drella.Core.Agents;
using Drella.Core.Jobs;
using Drella.Core.Roles;
using Drella.Daemon;
using Drella.Drivers.Agents.ClaudeCode;
using Drella.Drivers.Processes;
using Drella.Gateway.Tapes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drella.Bench.Factory;

/// <summary>Claude Code started by hand: the adapter's own launch line, with paths of the host, a tape on loopback and tools that agree to everything.</summary>
internal sealed class BareClaude : IAsyncDisposable
{
    private readonly string folder;
    private readonly string program;
    private readonly TapeModel model;
    private readonly TapeHost tape;
    private readonly AgreeableTools tools;
    private int runs;

    private BareClaude(string folder, string program, TapeModel model, TapeHost tape, AgreeableTools tools) =>
        (this.folder, this.program, this.model, this.tape, this.tools) = (folder, program, model, tape, tools);

    private string Workspace => Path.Combine(folder, "repo");

    private string Home => Path.Combine(folder, "home");

    public static async Task<BareClaude> StartAsync(string folder, string dataFolder, string tape, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        var program = Programs.Locate(dataFolder, new ProcessRunner(TimeProvider.System)).Folder(ClaudeCodeRelease.AgentId);
        var variables = new Dictionary<string, string> { ["ws"] = Path.Combine(folder, "repo"), ["home"] = Path.Combine(folder, "home") };
        var model = new TapeModel(TapeReader.Read(tape), _ => new TapeFacts(FactoryWorld.Repo, FactoryWorld.Title, variables), TimeProvider.System);
        var host = await TapeHost.StartAsync(model, new Assignment(JobId.For("bare"), 1, 1, "producer"), 0, NullLoggerFactory.Instance, cancellationToken);
        return new BareClaude(folder, program, model, host, await AgreeableTools.StartAsync(cancellationToken));
    }

    /// <summary>One run in a fresh clone; the clone is not in the time. Throws when the agent did not do what the tape says.</summary>
    public async Task<TimeSpan> RunAsync(RoleSnapshot role, Prompt prompt, CancellationToken cancellationToken)
    {
        await CloneAsync(cancellationToken);
        var plan = new ClaudeCodeAdapter().Plan(Order(role, prompt));
        foreach (var (path, text) in plan.Files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await File.WriteAllTextAsync(path, text, cancellationToken);
        }

        var start = new ProcessStartInfo(plan.Command.Command[0], plan.Command.Command.Skip(1))
        {
            WorkingDirectory = Workspace, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        start.Environment.Clear();
        foreach (var (name, value) in plan.Command.Environment)
        {
            start.Environment[name] = value;
        }

        // It refuses to work without asking when it runs as root, unless it is told that somebody else contains it.
        start.Environment["IS_SANDBOX"] = "1";
        var watch = Stopwatch.StartNew();
        using var agent = Process.Start(start)!;
        var ended = await ListenAsync(agent, plan, cancellationToken);
        var elapsed = watch.Elapsed;
        var report = model.Report;
        return ended.Outcome == AgentOutcome.Completed && report.IsClean && tools.Calls >= 2 * runs
            ? elapsed
            : throw new InvalidOperationException($"the agent alone ended with {ended.Outcome}: {ended.Detail} {ended.Text} {string.Join("; ", report.Mismatches)}");
    }

    public async ValueTask DisposeAsync()
    {
        await tape.DisposeAsync();
        await tools.DisposeAsync();
    }

    private static async Task<AgentResult> ListenAsync(Process agent, LaunchPlan plan, CancellationToken cancellationToken)
    {
        try
        {
            var stream = new ClaudeCodeAdapter().OpenStream();
            var errors = agent.StandardError.ReadToEndAsync(cancellationToken);
            foreach (var line in plan.FirstInput)
            {
                await agent.StandardInput.WriteLineAsync(line.AsMemory(), cancellationToken);
            }

            agent.StandardInput.Close();
            while (await agent.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
            {
                stream.Read(System.Text.Encoding.UTF8.GetBytes(line));
            }

            await agent.WaitForExitAsync(cancellationToken);
            return stream.Finish(new Core.Sandboxes.GuestExit(agent.ExitCode, null), await errors);
        }
        finally
        {
            if (!agent.HasExited)
            {
                agent.Kill(entireProcessTree: true);
            }
        }
    }

    private AgentOrder Order(RoleSnapshot role, Prompt prompt) => new()
    {
        SessionId = Guid.CreateVersion7().ToString(),
        Resume = false,
        Prompt = prompt.Text,
        SystemPrompt = prompt.System,
        Model = role.Model,
        Effort = role.Effort,
        ModelUrl = tape.Address.ToString().TrimEnd('/'),
        ToolUrl = tools.Address,
        ProxyUrl = "http://127.0.0.1:9",
        Token = "bare",
        MayEdit = role.MayEdit,
        Home = Home,
        Workspace = Workspace,
        AgentFolder = program,
    };

    private async Task CloneAsync(CancellationToken cancellationToken)
    {
        runs++;
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }

        Directory.CreateDirectory(Home);
        var root = FactoryWorld.Shipped("target");
        foreach (var file in Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(Workspace, Path.GetRelativePath(root, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        var git = new ProcessStartInfo("sh", ["-c", "git init -q -b work && git add -A && git -c user.name=b -c user.email=b@b.invalid commit -q -m 'The project'"]) { WorkingDirectory = Workspace };
        using var process = Process.Start(git)!;
        await process.WaitForExitAsync(cancellationToken);
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"git could not make the workspace: exit {process.ExitCode}");
        }
    }
}
