using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Drella.Core.Agents;
using Drella.Core.Jobs;
using Drella.Core.Journal;
using Drella.Core.Roles;
using Drella.Core.Sandboxes;

namespace Drella.Core.Steps;

/// <summary>
/// Lets one role's agent work in the job's sandbox until it stops: admits it at the doors, keeps what it says, and says how it ended.
/// </summary>
internal sealed class AgentShift(
    Floor floor, IGatehouse gatehouse, IBlobStore blobs, IReadOnlyDictionary<string, IAgentAdapter> adapters, FactorySettings settings, TimeProvider time)
{
    private const int MaxOutput = 1024;

    /// <summary>Runs the role; returns the end of the run, journalled by the caller with the step.</summary>
    /// <param name="live">The job; its step is open.</param>
    /// <param name="session">Key of the agent session: the same key goes on with the same conversation.</param>
    /// <param name="prompt">What is asked now; after a broken run it is told so first.</param>
    /// <param name="cancellationToken">Winds the agent down.</param>
    public async Task<JobEntry.AgentEnded> RunAsync(LiveJob live, string session, Prompt prompt, CancellationToken cancellationToken)
    {
        var job = live.Job;
        var role = job.CurrentRole;
        if (!adapters.TryGetValue(role.Agent, out var adapter))
        {
            throw new DriverException(false, $"the role '{role.Name}' wants the agent '{role.Agent}', which is not installed here");
        }

        var sandbox = await floor.EnsureAsync(job, isRestart: job.Tries > 1, cancellationToken);
        live.ForgetOldWords();
        var token = gatehouse.Admit(
            sandbox.Name, job.Assignment, new EgressPolicy(job.Request.AllowedHosts), new ModelPolicy([role.Model], settings.MaxOutputTokens));
        try
        {
            var known = job.Sessions.GetValueOrDefault(session);
            var isResumed = known is not null && await HasSessionAsync(sandbox, adapter, known, cancellationToken);
            var id = isResumed ? known! : NewSession(live.Job, session);
            var transcript = new BlobId($"{job.Id}/transcript/{job.Attempt}-{job.Round}-{role.Name}-{job.Tries}");
            await live.RecordAsync(new JobEntry.AgentStarted(session, id, transcript.Value), cancellationToken);
            var order = new AgentOrder
            {
                SessionId = id,
                Resume = isResumed,
                Prompt = isResumed && job.Tries > 1 ? $"{prompt.AfterBreak}\n\n{prompt.Text}" : prompt.Text,
                SystemPrompt = prompt.System,
                Model = role.Model,
                Effort = role.Effort,
                ModelUrl = $"http://127.0.0.1:{Doors.ModelPort}",
                ToolUrl = $"http://127.0.0.1:{Doors.ToolPort}/mcp",
                ProxyUrl = $"http://drella:{token}@127.0.0.1:{Doors.EgressPort}",
                Token = token,
                MayEdit = role.MayEdit,
                Home = sandbox.Home,
                Workspace = PullRequests.Workspace.Folder(sandbox),
                AgentFolder = sandbox.AgentFolder(role.Agent),
            };
            return await SuperviseAsync(live, sandbox, adapter, order, transcript, cancellationToken);
        }
        finally
        {
            gatehouse.Dismiss(sandbox.Name);
        }
    }

    private async Task<JobEntry.AgentEnded> SuperviseAsync(
        LiveJob live, ISandbox sandbox, IAgentAdapter adapter, AgentOrder order, BlobId transcript, CancellationToken cancellationToken)
    {
        await using var blob = await blobs.AppendAsync(transcript, cancellationToken);
        await using var digest = new DigestingWriter(blob);
        var result = await AgentRun.RunAsync(
            sandbox,
            adapter,
            order,
            new AgentRunPorts
            {
                Transcript = digest,
                OnEvent = _ => ValueTask.CompletedTask,
                Control = live.Control.Reader,
                LastModelActivity = () => gatehouse.LastModelActivity(sandbox.Name),
                Time = time,
                Limits = new AgentRunLimits { Deadline = live.Job.CurrentRole.Timeout ?? live.Job.Request.WorkTimeout, IdleTimeout = settings.IdleTimeout },
            },
            cancellationToken);
        return new JobEntry.AgentEnded(live.Job.CurrentRole.Name, result.Outcome, Cut(result.Text), Cut(result.Detail), digest.Length, digest.Digest);
    }

    private static async Task<bool> HasSessionAsync(ISandbox sandbox, IAgentAdapter adapter, string session, CancellationToken cancellationToken) =>
        adapter.Capabilities.Resume
        && adapter.SessionProbe(session, sandbox.Home) is { } probe
        && (await sandbox.RunAsync(probe, MaxOutput, cancellationToken)).IsSuccess;

    // A UUID of version 7 made from the job and its place in the journal: unique, and the same history gives the same one.
    private static string NewSession(Job job, string session)
    {
        var bytes = SHA256.HashData(Encoding.UTF8.GetBytes($"{job.Id}/{job.Attempt}/{session}/{job.Sequence}")).AsSpan(0, 16);
        BinaryPrimitives.WriteInt64BigEndian(bytes, (job.ChangedAt.ToUnixTimeMilliseconds() << 16) | BinaryPrimitives.ReadUInt16BigEndian(bytes[6..]));
        bytes[6] = (byte)(0x70 | (bytes[6] & 0x0F));
        bytes[8] = (byte)(0x80 | (bytes[8] & 0x3F));
        return new Guid(bytes, bigEndian: true).ToString();
    }

    private static string Cut(string text) => text.Length <= 8000 ? text : text[..8000];
}
