namespace Gjoll.Egress.Tests;

/// <summary>Keeps decisions, or fails as a full disk would.</summary>
internal sealed class AuditRecorder : IEgressAudit
{
    private readonly Lock gate = new();
    private readonly List<(string Sandbox, IEgressAdmission? Admission, EgressDecision Decision)> lines = [];

    public bool IsBroken { get; set; }

    public IReadOnlyList<(string Sandbox, IEgressAdmission? Admission, EgressDecision Decision)> Lines
    {
        get
        {
            lock (gate)
            {
                return [.. lines];
            }
        }
    }

    public EgressDecision Single => Assert.Single(Lines).Decision;

    public Task RecordAsync(string sandbox, IEgressAdmission? admission, EgressDecision decision, CancellationToken cancellationToken)
    {
        if (IsBroken)
        {
            throw new IOException("no space left on /var/lib/secret-place");
        }

        lock (gate)
        {
            lines.Add((sandbox, admission, decision));
        }

        return Task.CompletedTask;
    }
}
