using Drella.Core.Agents;
using Drella.Core.Jobs;
using Drella.Core.Journal;
using Microsoft.Extensions.Logging;

namespace Drella.Web;

/// <summary>What the surface shows and whom it tells. Everything in it is safe for concurrent callers.</summary>
public sealed record WebPorts
{
    public required JobShelf Jobs { get; init; }

    public required IJournal Journal { get; init; }

    public required IBlobStore Blobs { get; init; }

    /// <summary>The adapters that understand the transcripts.</summary>
    public required IReadOnlyList<IAgentAdapter> Agents { get; init; }

    /// <summary>Wakes the factory's loops; returns at once.</summary>
    public required Action Nudge { get; init; }

    public required Func<CancellationToken, Task<HealthReport>> Health { get; init; }

    /// <summary>Takes a spec handed in by hand.</summary>
    public required Func<OpenJobRequest, CancellationToken, Task<OpenJobResult>> Submit { get; init; }

    /// <summary>The change of a job as a unified diff; empty when there is none yet.</summary>
    public required Func<Job, CancellationToken, Task<string>> Diff { get; init; }

    /// <summary>Web address of the forge: the only place that pages link to. Null when there is none.</summary>
    public string? ForgeUrl { get; init; }

    public required TimeProvider Time { get; init; }

    public required ILoggerFactory Loggers { get; init; }
}

/// <summary>A spec handed in by hand.</summary>
/// <param name="Text">The spec.</param>
/// <param name="Repo">Repository, as owner/name, when the spec names none.</param>
public sealed record OpenJobRequest(string Text, string? Repo);

/// <summary>What came of it: a job, or what is wrong with the spec.</summary>
public sealed record OpenJobResult(JobId? Job, IReadOnlyList<string> Problems);

/// <summary>What works and what does not.</summary>
public sealed record HealthReport(IReadOnlyList<HealthItem> Items)
{
    public bool IsOk => Items.All(item => item.Ok);
}

/// <summary>One thing that has to work.</summary>
public sealed record HealthItem(string Name, bool Ok, string Detail);
