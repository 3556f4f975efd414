using System.Text.Json;
using Drella.Core.Agents;
using Drella.Drivers.Agents.ClaudeCode;

namespace Drella.Drivers.Tests.Agents;

public sealed class ClaudeCodeLaunchTests
{
    private static readonly AgentOrder Order = SomeOrder.With("/home/agent", "/opt/claude-code");

    [Fact]
    public void Plan_LetsTheRepositoryConfigureNothing()
    {
        var command = Plan(Order).Command.Command;

        Assert.Equal("", command[command.ToList().IndexOf("--setting-sources") + 1]);
        Assert.Contains("--strict-mcp-config", command);
        Assert.Contains("--disable-slash-commands", command);
    }

    [Fact]
    public void Plan_KeepsTheTokenOutOfCommandAndFiles()
    {
        var plan = Plan(Order);

        Assert.DoesNotContain(plan.Command.Command, argument => argument.Contains(Order.Token, StringComparison.Ordinal));
        Assert.DoesNotContain(plan.Files, file => file.Value.Contains(Order.Token, StringComparison.Ordinal));
        Assert.Equal(Order.Token, plan.Command.Environment["ANTHROPIC_AUTH_TOKEN"]);
    }

    [Fact]
    public void Plan_TakesTheEditingToolsAwayWhenItMayNotEdit()
    {
        Assert.Contains("Bash,Edit,Write,Read,Agent", Plan(Order).Command.Command);
        Assert.Contains("Bash,Read", Plan(Order with { MayEdit = false }).Command.Command);
    }

    [Fact]
    public void Plan_ResumesTheSessionWhenAskedTo()
    {
        Assert.DoesNotContain("--resume", Plan(Order).Command.Command);
        var command = Plan(Order with { Resume = true }).Command.Command.ToList();
        Assert.Equal(Order.SessionId, command[command.IndexOf("--resume") + 1]);
        Assert.DoesNotContain("--session-id", command);
    }

    [Fact]
    public void Plan_SendsThePromptOnOneLineWhateverItHolds()
    {
        var line = Assert.Single(Plan(Order with { Prompt = "a\nb\"\u2028 --model x" }).FirstInput);

        Assert.DoesNotContain('\n', line);
        using var json = JsonDocument.Parse(line);
        Assert.Equal("a\nb\"\u2028 --model x", json.RootElement.GetProperty("message").GetProperty("content").GetString());
    }

    private static LaunchPlan Plan(AgentOrder order) => new ClaudeCodeAdapter().Plan(order);
}
