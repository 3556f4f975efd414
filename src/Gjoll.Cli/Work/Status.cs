using Gjoll.Environments;

namespace Gjoll.Cli.Work;

/// <summary>A sandbox as <c>list</c> shows it. Its JSON form is documented in docs/formats/gjoll-cli.md.</summary>
internal sealed record Status
{
    public required string Name { get; init; }
    public required string Provider { get; init; }

    /// <summary>creating, failed, created, running or stopped; lost when the provider knows nothing of it.</summary>
    public required string State { get; init; }

    public required string EnvironmentFile { get; init; }
    public string? Image { get; init; }
    public bool WasWarm { get; init; }
    public required DateTimeOffset Created { get; init; }
    public DateTimeOffset? Deadline { get; init; }
    public string? Problem { get; init; }

    /// <param name="isAbandoned">As <see cref="InstanceStore.IsAbandoned"/> says.</param>
    public static Status Of(Instance instance, SandboxInfo? info, bool isAbandoned) => new()
    {
        Name = instance.Name,
        Provider = instance.Provider,
        State = (instance.Stage, info) switch
        {
            (InstanceStage.Creating, _) => isAbandoned ? "failed" : "creating",
            (InstanceStage.Failed, _) => "failed",
            (_, null) => "lost",
            var (_, known) => known.State.ToString().ToLowerInvariant(),
        },
        EnvironmentFile = instance.EnvironmentFile,
        Image = info?.Image,
        WasWarm = info?.WasWarm ?? false,
        Created = instance.Created,
        Deadline = info?.Deadline,
        Problem = (instance.Stage, info) switch
        {
            (InstanceStage.Creating, _) when isAbandoned => "The command that made it was killed: 'gjoll gc' removes what is left.",
            (InstanceStage.Ready, null) => $"The {instance.Provider} provider knows nothing of it any more: 'gjoll gc' removes what is left.",
            _ => instance.Problem,
        },
    };
}

/// <summary>What only a look at the sandbox itself tells.</summary>
internal sealed record StatusDetail
{
    public required Status Sandbox { get; init; }
    public required string Home { get; init; }
    public required string Workspace { get; init; }
    public required IReadOnlyList<string> Snapshots { get; init; }
    public required IReadOnlyList<string> Forwards { get; init; }

    /// <summary>Whether a process in the background serves egress and proxies; null when there is nothing to serve.</summary>
    public bool? DoorsServed { get; init; }

    /// <summary>Null when it does not run or does not answer.</summary>
    public SandboxHealth? Health { get; init; }

    public string? HealthProblem { get; init; }

    public required IReadOnlyList<GuestProgram> Programs { get; init; }
}
