using Drella.Core.Agents;
using Drella.Core.Jobs;
using Drella.Core.Journal;
using Drella.Core.Sandboxes;
using Microsoft.Extensions.Logging;

namespace Drella.Web;

/// <summary>How the web server stands.</summary>
public sealed record WebOptions
{
    /// <summary>Address to listen on; port 0 takes a free one.</summary>
    public required string ListenUrl { get; init; }

    /// <summary>Address under which a proxy in front makes the server known, such as <c>https://factory.example.com</c>; null when there is none.</summary>
    public string? PublicUrl { get; init; }

    /// <summary>What opens everything but health, webhooks and pictures. At least 16 characters.</summary>
    public required string Token { get; init; }

    /// <summary>Proves a webhook: its delivery id, or null when the signature is wrong.</summary>
    public required Func<IEnumerable<KeyValuePair<string, string>>, byte[], string?> VerifyWebhook { get; init; }
}

/// <summary>What the web server shows and tells.</summary>
public sealed record WebPorts
{
    public required JobShelf Jobs { get; init; }

    public required IJournal Journal { get; init; }

    public required IBlobStore Blobs { get; init; }

    public required IReadOnlyList<IAgentAdapter> Agents { get; init; }

    /// <summary>Something outside has changed: look early.</summary>
    public required Action Nudge { get; init; }

    public required Func<CancellationToken, Task<HealthReport>> Health { get; init; }

    /// <summary>Takes a spec that was handed in here and not through a tasks repository.</summary>
    public required Func<OpenJobRequest, CancellationToken, Task<OpenJobResult>> Submit { get; init; }

    public required Func<Job, CancellationToken, Task<string>> Diff { get; init; }

    /// <summary>What this factory's jobs run in.</summary>
    public required string SandboxProvider { get; init; }

    /// <summary>The sandbox that holds a job's work; null when there is none.</summary>
    public required Func<Job, CancellationToken, Task<SandboxView?>> Sandbox { get; init; }

    /// <summary>Has the sandbox running for a look inside, written down with the command; null when the job has none.</summary>
    public required Func<LiveJob, string?, CancellationToken, Task<Visit?>> BeginVisit { get; init; }

    /// <summary>The look is over.</summary>
    public required Func<LiveJob, CancellationToken, Task> EndVisit { get; init; }

    /// <summary>Where the forge's pages are; links go nowhere else. Null shows no links.</summary>
    public string? ForgeUrl { get; init; }

    public required TimeProvider Time { get; init; }

    public required ILoggerFactory Loggers { get; init; }
}

/// <summary>A job's sandbox as it is now.</summary>
/// <param name="Name">As its provider knows it.</param>
/// <param name="Provider">Who made it.</param>
/// <param name="Image">What it booted from, by digest.</param>
/// <param name="Running">False when it is stopped and its disk is kept.</param>
/// <param name="KeptUntil">When that of a job which is over goes.</param>
public sealed record SandboxView(string Name, string Provider, string? Image, bool Running, DateTimeOffset? KeptUntil);

/// <param name="Text">The spec, with its header.</param>
/// <param name="Repo">Repository where the header names none.</param>
public sealed record OpenJobRequest(string Text, string? Repo);

/// <summary>The job, or why there is none.</summary>
public sealed record OpenJobResult(JobId? Job, IReadOnlyList<string> Problems);

public sealed record HealthReport(IReadOnlyList<HealthItem> Items)
{
    public bool IsWell => Items.All(item => item.Ok);
}

public sealed record HealthItem(string Name, bool Ok, string Detail);
