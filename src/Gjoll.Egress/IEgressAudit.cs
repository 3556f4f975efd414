namespace Gjoll.Egress;

/// <summary>
/// Takes every decision before it is acted on. What throws <see cref="IOException"/> or <see cref="InvalidOperationException"/> was not written
/// down, and then nothing is opened. Called from many connections at once.
/// </summary>
public interface IEgressAudit
{
    /// <param name="sandbox">Whose socket.</param>
    /// <param name="admission">Who was admitted, or null when the call came before or after.</param>
    /// <param name="decision">What was decided.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    Task RecordAsync(string sandbox, IEgressAdmission? admission, EgressDecision decision, CancellationToken cancellationToken);
}
