using System.Text;
using Drella.Core;
using Drella.Core.Sandboxes;

namespace Drella.Testing.Fakes;

/// <summary>
/// What one sandbox holds: files, sessions of agents, and a clone with its branches. It understands the commands that the factory gives there,
/// and runs one agent. Disk and state outlive the daemon; programs outlive it until somebody ends them.
/// </summary>
public sealed class FakeMachine(SandboxName name, FakeGit git)
{
    private static readonly GuestExit Success = new(0, null);
    private readonly List<FakeProcess> processes = [];

    public SandboxName Name => name;

    public bool IsRunning { get; private set; }

    public Dictionary<string, string> Files { get; } = [];

    /// <summary>Branches of the clone; <c>HEAD</c> is what is checked out. Empty without a clone.</summary>
    public Dictionary<string, string> Refs { get; } = [];

    public HashSet<string> Sessions { get; } = [];

    /// <summary>True when something is changed that is not committed.</summary>
    public bool IsDirty { get; set; }

    public string? Head => Refs.GetValueOrDefault("HEAD");

    public FakeGit Git => git;

    public void Start() => IsRunning = true;

    /// <summary>Ends every program; the disk stays.</summary>
    public void Stop()
    {
        IsRunning = false;
        foreach (var process in processes.ToList())
        {
            process.Kill();
        }

        processes.Clear();
    }

    public FakeProcess Run(GuestCommand command, Func<FakeMachine, FakeProcess, GuestCommand, Task> agent)
    {
        if (!IsRunning)
        {
            throw new DriverException(true, $"{name} does not run");
        }

        var process = new FakeProcess();
        processes.Add(process);
        switch (command.Command)
        {
            case ["git", "-C", ..]:
                Answer(process, RunGit([.. command.Command.Skip(3)]));
                break;
            case ["sh", "-euc", var script, _, var branch, var file]:
                Answer(process, Seed(script, branch, file));
                break;
            case ["session", var session]:
                Answer(process, Sessions.Contains(session) ? "" : null);
                break;
            default:
                _ = agent(this, process, command);
                break;
        }

        return process;
    }

    public void Write(string path, byte[] content) => Files[path] = Encoding.UTF8.GetString(content);

    private static void Answer(FakeProcess process, string? output)
    {
        if (output is { Length: > 0 })
        {
            process.Say(output);
        }

        process.Exit(output is null ? new GuestExit(128, null) : Success);
    }

    private string? RunGit(string[] arguments)
    {
        switch (arguments)
        {
            case ["rev-parse", ..]:
                return Head;
            case ["status", ..]:
                return Head is null ? null : IsDirty ? " M src/a.txt" : "";
            case ["update-ref", var name, "HEAD"] when Head is { } head:
                Refs[name] = head;
                return "";
            case ["bundle", "create", _, "-", var prerequisite, var name] when prerequisite[1..] is var from:
                return Refs.TryGetValue(name, out var tip) && tip != from && git.IsAncestor(from, tip) ? $"{tip} {from}" : null;
            default:
                return null;
        }
    }

    private string? Seed(string script, string branch, string file)
    {
        if (!Files.TryGetValue(file, out var commit) || !git.Has(commit))
        {
            return null;
        }

        if (script.Contains("git clone", StringComparison.Ordinal))
        {
            Refs.Clear();
            IsDirty = false;
            Refs[branch] = Refs["HEAD"] = commit;
            return "";
        }

        if (Head is null)
        {
            return null;
        }

        if (script.Contains("checkout", StringComparison.Ordinal))
        {
            IsDirty = false;
            Refs["HEAD"] = commit;
        }
        else
        {
            Refs[branch] = commit;
        }

        return "";
    }
}
