namespace Drella.Core.PullRequests;

/// <summary>What the policy found in a change, in the order of its files.</summary>
public sealed record PolicyReport(IReadOnlyList<Refusal> Refusals)
{
    /// <summary>True when the change may be published; what is left is for the reviewer to know.</summary>
    public bool IsAccepted => !Refusals.Any(r => r.IsBlocking);
}

/// <param name="Rule">Short stable name.</param>
/// <param name="Path">File it is about, made printable; null when it is about the change.</param>
/// <param name="Explanation">For the agent, who can mend it and call again: says nothing of the host and repeats no secret.</param>
/// <param name="IsBlocking">False for a flag that the pull request shows.</param>
public sealed record Refusal(string Rule, string? Path, string Explanation, bool IsBlocking);

/// <param name="Paths">Patterns that the spec allows to touch although they are protected, large, links or not scanned.</param>
public sealed record PolicyWaivers(IReadOnlyList<string> Paths)
{
    public static PolicyWaivers None { get; } = new([]);
}
