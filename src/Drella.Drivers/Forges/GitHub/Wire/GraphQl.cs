using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Drella.Drivers.Forges.GitHub.Wire;

internal sealed record WireGraphRequest(string Query, JsonObject Variables);

internal sealed record WireGraphReply<T>(T? Data, WireGraphError?[]? Errors);

internal sealed record WireGraphError(string? Type, string? Message);

/// <summary>The answer of a mutation of which only the success matters.</summary>
internal sealed record WireGraphNothing;

// GraphQL names are in camel case, the policy of this context is snake case.
internal sealed record WireThreadsData(WireThreadsRepository? Repository);

internal sealed record WireThreadsRepository([property: JsonPropertyName("pullRequest")] WireThreadsPull? PullRequest);

internal sealed record WireThreadsPull([property: JsonPropertyName("reviewThreads")] WireThreads? ReviewThreads);

internal sealed record WireThreads(
    [property: JsonPropertyName("pageInfo")] WirePageInfo? PageInfo, WireThread?[]? Nodes);

internal sealed record WirePageInfo(
    [property: JsonPropertyName("hasNextPage")] bool? HasNextPage,
    [property: JsonPropertyName("endCursor")] string? EndCursor);

internal sealed record WireThread(
    string? Id, [property: JsonPropertyName("isResolved")] bool? IsResolved, WireThreadComments? Comments);

internal sealed record WireThreadComments(WireThreadComment?[]? Nodes);

internal sealed record WireThreadComment(string? Id);
