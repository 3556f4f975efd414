using Drella.Core.Jobs;

namespace Drella.Core.Sandboxes;

/// <summary>
/// The doors between a sandbox and the world: model gateway, egress proxy, tools. One set of unix sockets per sandbox, so that the
/// channel tells who calls; the token on top is bound to the assignment and dies when another takes its place.
/// </summary>
public interface IGatehouse
{
    /// <summary>Opens the sandbox's doors, or finds them open. They admit nobody until <see cref="Admit"/>.</summary>
    Task<Doors> OpenAsync(SandboxName sandbox, CancellationToken cancellationToken);

    /// <summary>Lets an assignment through the sandbox's doors, in place of the one before. Returns its token, which is kept nowhere.</summary>
    string Admit(SandboxName sandbox, Assignment assignment, EgressPolicy egress, ModelPolicy model);

    /// <summary>Lets nobody through any more; calls under way are cut.</summary>
    void Dismiss(SandboxName sandbox);

    /// <summary>Time of the last byte or call through the model door; null when there was none. Feeds the idle watchdog.</summary>
    DateTimeOffset? LastModelActivity(SandboxName sandbox);

    /// <summary>Closes and removes the doors; success when absent.</summary>
    Task CloseAsync(SandboxName sandbox, CancellationToken cancellationToken);
}

/// <summary>Host socket paths of one sandbox's doors.</summary>
public sealed record Doors(string ModelSocket, string EgressSocket, string ToolSocket)
{
    /// <summary>Ports of the doors on the guest's loopback, the same in every sandbox.</summary>
    public const int ModelPort = 18001;
    public const int EgressPort = 18002;
    public const int ToolPort = 18003;
}

/// <summary>What may be reached. Host patterns: a canonical name, or <c>*.</c> and a name for its subdomains. Empty reaches nothing.</summary>
public sealed record EgressPolicy(IReadOnlyList<string> AllowedHosts)
{
    public static EgressPolicy Nothing { get; } = new([]);
}

/// <summary>Which model answers, whatever the agent asks for, and how much of it at once.</summary>
/// <param name="Models">Model ids that may be asked for; the first is the default, taken for any other.</param>
/// <param name="MaxOutputTokens">Cap on one answer.</param>
public sealed record ModelPolicy(IReadOnlyList<string> Models, int MaxOutputTokens);

/// <summary>Takes the audit lines of the doors: each egress decision, each refused call. Bounded and durable.</summary>
public interface IDoorAudit
{
    /// <param name="sandbox">Whose door.</param>
    /// <param name="assignment">Who was admitted, or null when the call came before or after.</param>
    /// <param name="decision">What was decided.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    Task RecordAsync(SandboxName sandbox, Assignment? assignment, DoorDecision decision, CancellationToken cancellationToken);
}

/// <param name="Door">model, egress or tools.</param>
/// <param name="Target">What was asked for, escaped, at most 300 characters.</param>
/// <param name="Allowed">The decision.</param>
/// <param name="Rule">The rule that decided.</param>
public sealed record DoorDecision(string Door, string Target, bool Allowed, string Rule);
