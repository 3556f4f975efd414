using System.Text.Json;

namespace Drella.Gateway.Models;

/// <summary>
/// Finds what would make the provider itself reach out, or reach into what others stored there: tools that it runs, tool servers that it
/// calls, and content that it fetches by address or file id. Each is a way around the egress door, so a request with one does not leave.
/// Pure; what it does not know it takes for one.
/// </summary>
internal static class HostedFeatures
{
    private const int MaxNesting = 8;

    // Tools that the agent carries out itself, by the beginning of their versioned type. A tool without a type is of that kind, too.
    private static readonly string[] OwnTools = ["custom", "bash_", "text_editor_", "memory_", "computer_", "tool_search_tool_"];
    private static readonly string[] OwnSources = ["base64", "text", "content"];

    /// <summary>The member that asks for one, or null.</summary>
    public static string? Find(JsonElement request)
    {
        foreach (var name in new[] { "mcp_servers", "container" })
        {
            if (request.TryGetProperty(name, out var member) && !IsNothing(member))
            {
                return name;
            }
        }

        if (request.TryGetProperty("tools", out var tools) && tools.ValueKind != JsonValueKind.Null && !AreOwn(tools))
        {
            return "tools";
        }

        return Content(request, "system") ?? Messages(request);
    }

    private static bool IsNothing(JsonElement member) =>
        member.ValueKind == JsonValueKind.Null || (member.ValueKind == JsonValueKind.Array && member.GetArrayLength() == 0);

    private static bool AreOwn(JsonElement tools) =>
        tools.ValueKind == JsonValueKind.Array && tools.EnumerateArray().All(tool =>
            tool.ValueKind == JsonValueKind.Object
            && (!tool.TryGetProperty("type", out var type)
                || type.ValueKind == JsonValueKind.Null
                || (type.ValueKind == JsonValueKind.String && Array.Exists(OwnTools, own => type.GetString()!.StartsWith(own, StringComparison.Ordinal)))));

    private static string? Messages(JsonElement request)
    {
        if (!request.TryGetProperty("messages", out var messages) || messages.ValueKind != JsonValueKind.Array)
        {
            return null;
        }

        foreach (var message in messages.EnumerateArray())
        {
            if (message.ValueKind == JsonValueKind.Object && Content(message, "content") is { } found)
            {
                return found;
            }
        }

        return null;
    }

    private static string? Content(JsonElement holder, string name, int depth = 0)
    {
        if (!holder.TryGetProperty(name, out var blocks) || blocks.ValueKind != JsonValueKind.Array)
        {
            return null;
        }

        if (depth > MaxNesting)
        {
            return name;
        }

        foreach (var block in blocks.EnumerateArray())
        {
            if (block.ValueKind == JsonValueKind.Object && Block(block, depth) is { } found)
            {
                return found;
            }
        }

        return null;
    }

    private static string? Block(JsonElement block, int depth)
    {
        var type = Text(block, "type");
        if (type == "container_upload")
        {
            return type;
        }

        // Only where a block has a source does the provider look for one; the arguments of a tool call may hold whatever they like.
        if (type is "image" or "document" && block.TryGetProperty("source", out var source) && source.ValueKind == JsonValueKind.Object)
        {
            return OwnSources.Contains(Text(source, "type")) ? Content(source, "content", depth + 1) : $"{type} source";
        }

        return Content(block, "content", depth + 1);
    }

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
