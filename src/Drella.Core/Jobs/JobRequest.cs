using Drella.Core.Forges;

namespace Drella.Core.Jobs;

/// <summary>
/// Everything that was asked for, resolved and frozen when the job was opened: later edits of the spec, of the configuration
/// or of the roles do not reach a job.
/// </summary>
public sealed record JobRequest
{
    public required SourceRef Source { get; init; }

    /// <summary>Title of the change; one line.</summary>
    public required string Title { get; init; }

    /// <summary>The text of the spec or issue, as it was authorised.</summary>
    public required string Text { get; init; }

    public required IReadOnlyList<string> AcceptanceCriteria { get; init; }

    /// <summary>Repository of the change, on the same forge as the source.</summary>
    public required string Repo { get; init; }

    public required string Base { get; init; }

    /// <summary>Roles in order; the first produces, the others judge.</summary>
    public required IReadOnlyList<RoleSnapshot> Pipeline { get; init; }

    public required string Profile { get; init; }

    /// <summary>Hosts that the sandbox may reach.</summary>
    public required IReadOnlyList<string> AllowedHosts { get; init; }

    public required int Priority { get; init; }

    /// <summary>Most that models may cost, millionths of a US dollar.</summary>
    public required long Budget { get; init; }

    /// <summary>Source keys (without revision) of the specs that must be merged first.</summary>
    public IReadOnlyList<string> DependsOn { get; init; } = [];

    /// <summary>Deadline of one piece of agent work.</summary>
    public required TimeSpan WorkTimeout { get; init; }

    /// <summary>Most rounds between work and verdict before a person is asked.</summary>
    public required int MaxRounds { get; init; }

    /// <summary>Paths the spec allows although they are protected.</summary>
    public IReadOnlyList<string> Waivers { get; init; } = [];

    public RepoName RepoName => RepoName.Parse(Repo);
}

/// <summary>Where the order came from.</summary>
/// <param name="Forge">Name of the forge.</param>
/// <param name="Repo">Repository that holds the spec or issue.</param>
/// <param name="Kind">spec, issue or local.</param>
/// <param name="Name">Spec name or issue number: with the repository the identity that revisions share.</param>
/// <param name="Revision">Blob id of the spec, or a digest of the issue's text.</param>
/// <param name="Path">Path of the spec file; null for issues.</param>
/// <param name="Author">Login of who merged or wrote it.</param>
/// <param name="Url">For people.</param>
/// <param name="Thread">Issue or pull request number where people are talked to; null when there is none.</param>
public sealed record SourceRef(
    string Forge, string Repo, SourceKind Kind, string Name, string Revision, string? Path, string Author, string? Url, int? Thread)
{
    /// <summary>Identity across revisions; canonical, so that case does not make two.</summary>
    public string Key => $"{Forge}:{Repo}:{Kind}:{Name}".ToLowerInvariant();

    /// <summary>The job that serves this revision.</summary>
    public JobId Job => JobId.For($"{Key}@{Revision}");
}

public enum SourceKind
{
    Spec,
    Issue,

    /// <summary>Handed in at the keyboard.</summary>
    Local,
}

/// <summary>A role as it was when the job was opened.</summary>
public sealed record RoleSnapshot
{
    public required string Name { get; init; }

    public required string Agent { get; init; }

    public required string Model { get; init; }

    public string? Effort { get; init; }

    public required IReadOnlyList<string> Tools { get; init; }

    public required bool MayEdit { get; init; }

    public required string Prompt { get; init; }

    public TimeSpan? Timeout { get; init; }
}
