using Gjoll.Wire;

namespace Gjoll.Guest.Machine;

/// <summary>What the agent may do with the machine it is in: all of a virtual one, little of a sandbox that it shares.</summary>
internal interface IMachine
{
    /// <param name="done">Called once with what could not be done, in words.</param>
    void Renew(RenewRequest request, Action<IReadOnlyList<string>> done);

    /// <summary>Ends all programs, with grace, and then the machine or the agent.</summary>
    void ShutDown(int graceMilliseconds);
}
