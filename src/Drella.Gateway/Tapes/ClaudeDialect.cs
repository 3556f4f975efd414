using System.Text.Json.Nodes;

namespace Drella.Gateway.Tapes;

/// <summary>The operations of a tape as Claude Code's tools.</summary>
internal static class ClaudeDialect
{
    private static readonly Dictionary<string, Func<TapeOp, (string Tool, JsonObject Args)>> Table = new(StringComparer.Ordinal)
    {
        ["shell"] = op => ("Bash", new JsonObject { ["command"] = op.Cmd }),
        ["write"] = op => ("Write", new JsonObject { ["file_path"] = op.Path, ["content"] = op.Content }),
        ["edit"] = op => ("Edit", new JsonObject { ["file_path"] = op.Path, ["old_string"] = op.Old, ["new_string"] = op.New }),
        ["mcp"] = op => ($"mcp__{op.Server ?? "factory"}__{op.Tool}", Copy(op.Args)),
    };

    /// <summary>Null when the operation is not known.</summary>
    public static (string Tool, string Args)? Render(TapeOp op)
    {
        var (tool, args) = op.Op is null ? (op.Tool, Copy(op.Args))
            : Table.TryGetValue(op.Op, out var render) ? render(op)
            : (null, new JsonObject());
        return tool is null ? null : (tool, op.RawArgs ?? args.ToJsonString());
    }

    private static JsonObject Copy(JsonObject? args) => (JsonObject?)args?.DeepClone() ?? [];
}
