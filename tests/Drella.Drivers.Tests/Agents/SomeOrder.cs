using Drella.Core.Agents;

namespace Drella.Drivers.Tests.Agents;

internal static class SomeOrder
{
    public static AgentOrder With(string home, string agentFolder) => new()
    {
        SessionId = "0198c0de-0000-7000-8000-000000000001",
        Resume = false,
        Prompt = "go",
        SystemPrompt = "Be brief.",
        Model = "claude-opus-5-5",
        ModelUrl = "http://127.0.0.1:18001",
        ToolUrl = "http://127.0.0.1:18003/mcp",
        ProxyUrl = "http://127.0.0.1:18002",
        Token = "token-of-one-sandbox-0123456789",
        MayEdit = true,
        Home = home,
        Workspace = home + "/work",
        AgentFolder = agentFolder,
    };
}
