using Drella.Core.Forges;

namespace Drella.Core.Specs;

/// <summary>
/// What somebody asks for, read from markdown with a header. Money is in millionths of a US dollar.
/// </summary>
public sealed record Spec
{
    /// <summary>The version of the header that this factory reads.</summary>
    public const int CurrentVersion = 1;

    /// <summary>Repository that the change is for.</summary>
    public required RepoName Repo { get; init; }

    /// <summary>Branch the pull request is against; null for the repository's default.</summary>
    public string? Base { get; init; }

    public required string Title { get; init; }

    /// <summary>Name of a pipeline in the configuration; null for the default.</summary>
    public string? Pipeline { get; init; }

    /// <summary>Name of a profile in the configuration; null for the default.</summary>
    public string? Profile { get; init; }

    /// <summary>Agent to use in place of the roles' own; null for theirs.</summary>
    public string? Agent { get; init; }

    /// <summary>From -100 to 100; higher goes first.</summary>
    public int Priority { get; init; }

    /// <summary>Most that the job may spend on models; null for the configuration's.</summary>
    public long? Budget { get; init; }

    /// <summary>Names of specs in the same tasks repository that must be merged first.</summary>
    public IReadOnlyList<string> DependsOn { get; init; } = [];

    /// <summary>Most time of work, waiting for people not counted; null for the configuration's.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>The text behind the header.</summary>
    public required string Body { get; init; }

    public IReadOnlyList<string> AcceptanceCriteria { get; init; } = [];

    /// <summary>Open questions that nobody has answered.</summary>
    public IReadOnlyList<Problem> OpenQuestions { get; init; } = [];
}

/// <summary>A spec, or why it is none. With problems <see cref="Spec"/> is null.</summary>
public sealed record SpecResult(Spec? Spec, IReadOnlyList<Problem> Problems);
