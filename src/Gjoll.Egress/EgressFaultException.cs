namespace Gjoll.Egress;

/// <summary>What an operator wrote cannot be served. Holds every fault at once; none of them shows a secret.</summary>
public sealed class EgressFaultException(IReadOnlyList<string> problems)
    : Exception(string.Join(Environment.NewLine, problems))
{
    public IReadOnlyList<string> Problems => problems;
}
