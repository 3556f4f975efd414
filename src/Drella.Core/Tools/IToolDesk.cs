using System.Text.Json;
using Drella.Core.Jobs;

namespace Drella.Core.Tools;

/// <summary>
/// Where a tool call is judged and carried out. The endpoint has proven who calls; this decides whether they may, journals
/// request, decision and result, and acts through ports. Concurrent calls of one job are put in order.
/// </summary>
public interface IToolDesk
{
    /// <summary>The tools that the assignment's role is granted, with their schemas.</summary>
    IReadOnlyList<ToolDefinition> ToolsFor(Assignment assignment);

    /// <summary>Judges and carries out a call. Refusals are answers; an exception means that we are wrong.</summary>
    /// <param name="assignment">Proven by channel and token.</param>
    /// <param name="call">As it came, already within size and depth limits.</param>
    /// <param name="cancellationToken">The caller went away. What has begun is finished all the same.</param>
    Task<ToolAnswer> CallAsync(Assignment assignment, ToolCall call, CancellationToken cancellationToken);
}

/// <param name="Name">As the agent sees it.</param>
/// <param name="Description">For the model.</param>
/// <param name="InputSchema">JSON Schema of the arguments: closed (<c>additionalProperties: false</c>), bounded.</param>
public sealed record ToolDefinition(string Name, string Description, JsonElement InputSchema);

/// <param name="CallId">The agent's own id of the call; the same id twice is the same call.</param>
public sealed record ToolCall(string CallId, string Tool, JsonElement Arguments);

/// <summary>What the agent is told. Text is written for the model and holds nothing of the host.</summary>
public sealed record ToolAnswer(bool IsError, string Text)
{
    public static ToolAnswer Ok(string text) => new(false, text);

    public static ToolAnswer Refused(string text) => new(true, text);
}
