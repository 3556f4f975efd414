using Microsoft.Extensions.Logging;

namespace Gjoll.Egress;

/// <summary>Writes a decision down within a bound, or says that it could not.</summary>
internal sealed partial class DecisionRecorder(IEgressAudit audit, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    public async Task<bool> TryRecordAsync(string sandbox, IEgressAdmission? admission, EgressDecision decision, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Limit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            await audit.RecordAsync(sandbox, admission, decision, both.Token);
            return true;
        }
        catch (Exception problem) when (problem is IOException or InvalidOperationException)
        {
            LogNoAudit(sandbox, decision.Door, decision.Rule, problem);
            return false;
        }
        catch (OperationCanceledException problem) when (!cancellationToken.IsCancellationRequested)
        {
            LogNoAudit(sandbox, decision.Door, decision.Rule, problem);
            return false;
        }
    }

    [LoggerMessage(LogLevel.Error, "{Sandbox} {Door} decision {Rule} could not be written down; refused")]
    private partial void LogNoAudit(string sandbox, string door, string rule, Exception problem);
}
