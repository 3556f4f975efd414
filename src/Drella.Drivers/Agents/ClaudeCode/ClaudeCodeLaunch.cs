using System.Text.Json;
using Drella.Core.Agents;
using Drella.Core.Sandboxes;

namespace Drella.Drivers.Agents.ClaudeCode;

/// <summary>
/// The launch line. Two switches carry the safety: without <c>--setting-sources ""</c> and <c>--strict-mcp-config</c> a repository's own files
/// start programs and point the agent at another model server.
/// </summary>
internal static class ClaudeCodeLaunch
{
    private const string EditingTools = "Bash,Edit,Write,Read,Agent";
    private const string ReadingTools = "Bash,Read";

    public static LaunchPlan Plan(AgentOrder order)
    {
        var toolFile = $"{order.Home}/.drella/mcp.json";
        var systemFile = $"{order.Home}/.drella/system.md";
        return new LaunchPlan
        {
            Files = [new(toolFile, ToolConfiguration(order)), new(systemFile, order.SystemPrompt)],
            Command = new GuestCommand
            {
                Command = Command(order, toolFile, systemFile),
                Environment = Environment(order),
                WorkingFolder = order.Workspace,
            },
            FirstInput = [ClaudeCodeAdapter.UserLine(order.Prompt)],
        };
    }

    private static List<string> Command(AgentOrder order, string toolFile, string systemFile)
    {
        List<string> command =
        [
            $"{order.AgentFolder}/{ClaudeCodeRelease.ProgramPath}",
            "-p", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose", "--replay-user-messages",
            "--dangerously-skip-permissions",
            "--setting-sources", "",
            "--strict-mcp-config", "--mcp-config", toolFile,
            order.Resume ? "--resume" : "--session-id", order.SessionId,
            "--model", order.Model,
            "--append-system-prompt-file", systemFile,
            "--tools", order.MayEdit ? EditingTools : ReadingTools,
            "--disable-slash-commands",
        ];
        if (order.Effort is { } effort)
        {
            command.AddRange(["--effort", effort]);
        }

        return command;
    }

    private static Dictionary<string, string> Environment(AgentOrder order) => new()
    {
        ["HOME"] = order.Home,
        ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        ["LANG"] = "C.UTF-8",
        ["SHELL"] = "/bin/bash",
        ["ANTHROPIC_BASE_URL"] = order.ModelUrl,
        ["ANTHROPIC_AUTH_TOKEN"] = order.Token,
        ["DRELLA_TOKEN"] = order.Token,
        ["API_TIMEOUT_MS"] = "600000",
        ["CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"] = "1",
        ["CLAUDE_CODE_DISABLE_BACKGROUND_TASKS"] = "1",
        ["CLAUDE_CODE_DISABLE_AUTO_MEMORY"] = "1",
        ["CLAUDE_CODE_DISABLE_CRON"] = "1",
        ["CLAUDE_ENABLE_BYTE_WATCHDOG"] = "1",
        ["CLAUDE_BYTE_STREAM_IDLE_TIMEOUT_MS"] = "60000",
        ["DISABLE_AUTOUPDATER"] = "1",
        ["ENABLE_TOOL_SEARCH"] = "false",
        ["HTTP_PROXY"] = order.ProxyUrl,
        ["HTTPS_PROXY"] = order.ProxyUrl,
        ["http_proxy"] = order.ProxyUrl,
        ["https_proxy"] = order.ProxyUrl,
        ["NO_PROXY"] = "127.0.0.1,localhost",
        ["no_proxy"] = "127.0.0.1,localhost",
        // The host sets author and committer anew on the way out; without a name Git in the guest would refuse to commit.
        ["GIT_AUTHOR_NAME"] = "agent",
        ["GIT_AUTHOR_EMAIL"] = "agent@sandbox.invalid",
        ["GIT_COMMITTER_NAME"] = "agent",
        ["GIT_COMMITTER_EMAIL"] = "agent@sandbox.invalid",
        ["GIT_TERMINAL_PROMPT"] = "0",
    };

    // The agent expands the token from its environment, so that no file holds it; it does not expand its own ANTHROPIC_AUTH_TOKEN.
    private static string ToolConfiguration(AgentOrder order) => JsonSerializer.Serialize(new
    {
        mcpServers = new
        {
            factory = new
            {
                type = "http",
                url = order.ToolUrl,
                headers = new { Authorization = "Bearer ${DRELLA_TOKEN}" },
            },
        },
    });
}
