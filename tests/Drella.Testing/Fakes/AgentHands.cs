using System.Text.Json;
using System.Text.RegularExpressions;
using Drella.Core.Agents;
using Drella.Core.Budgets;
using Drella.Core.Sandboxes;
using Drella.Core.Tools;

namespace Drella.Testing.Fakes;

/// <summary>What an agent's program can do from inside: read its prompt, commit, call models and tools through the doors, say its last word.</summary>
public sealed partial class AgentHands(FakeMachine machine, FakeProcess process, GuestCommand command, FakeGatehouse doors, TimeProvider time)
{
    private int calls;

    public FakeMachine Machine => machine;

    public FakeProcess Process => process;

    public string Session => command.Command[1];

    public string Prompt => command.Environment["PROMPT"];

    public bool IsJudge => command.Environment["EDIT"].Length == 0;

    /// <summary>Ids of the remarks that the prompt asks to be answered.</summary>
    public IReadOnlyList<string> Remarks => [.. RemarkMark().Matches(Prompt).Select(match => match.Groups[1].Value).Distinct()];

    public Task WaitAsync(TimeSpan span) => Task.Delay(span, time, process.Ending);

    /// <summary>False when the door refused it.</summary>
    public async Task<bool> ThinkAsync(long reserve, long cost, TimeSpan latency)
    {
        var granted = await doors.CallModelAsync(machine.Name, command.Environment["TOKEN"], new ModelCall($"{Session}-{command.Environment["TOKEN"]}-{++calls}", "model", reserve), cost, latency);
        process.Ending.ThrowIfCancellationRequested();
        return granted;
    }

    public async Task<ToolAnswer?> UseAsync(string tool, object arguments)
    {
        var call = new ToolCall($"{Session}-{command.Environment["TOKEN"]}-{++calls}", tool, JsonSerializer.SerializeToElement(arguments));
        var answer = await doors.CallToolAsync(machine.Name, command.Environment["TOKEN"], call);
        process.Ending.ThrowIfCancellationRequested();
        return answer;
    }

    /// <summary>Commits one file; without a clone, or when it reads so already, there is nothing to commit.</summary>
    public void Commit(string path, string text)
    {
        if (machine.Head is { } head && machine.Git[head].Tree.GetValueOrDefault(path) != text)
        {
            machine.Refs["HEAD"] = machine.Git.Commit(head, [KeyValuePair.Create(path, (string?)text)], $"Change {path}", "agent");
        }
    }

    public void Delete(string path)
    {
        if (machine.Head is { } head && machine.Git[head].Tree.ContainsKey(path))
        {
            machine.Refs["HEAD"] = machine.Git.Commit(head, [KeyValuePair.Create(path, (string?)null)], $"Delete {path}", "agent");
        }
    }

    /// <summary>Rewrites history: what is there stands on nothing.</summary>
    public void Forget()
    {
        if (machine.Head is { } head)
        {
            machine.Refs["HEAD"] = machine.Git.Commit(null, machine.Git.Differences(null, head), "Begin anew", "agent");
        }
    }

    /// <summary>Puts its own commits on what a person pushed, if that is not below them yet.</summary>
    public void Rebase()
    {
        if (machine.Head is { } head && machine.Refs.GetValueOrDefault("drella-base") is { } ground && !machine.Git.IsAncestor(ground, head))
        {
            var below = machine.Git[ground].Tree;
            var mine = machine.Git.Between(ground, head).Where(commit => machine.Git.Differences(commit.Parent, commit.Id).Any(change => below.GetValueOrDefault(change.Key) != change.Value));
            machine.Refs["HEAD"] = machine.Git.Replay(mine, ground, "agent", message => message);
        }
    }

    public void End(AgentOutcome outcome)
    {
        process.Say($"end {outcome}");
        process.Exit(new GuestExit(0, null));
    }

    [GeneratedRegex("⟦remark ([^,⟧]+), from")]
    private static partial Regex RemarkMark();
}
