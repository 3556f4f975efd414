namespace Gjoll.Egress.Proxies;

/// <summary>No connection to the target may be made, or none can.</summary>
internal sealed class TargetException(EgressRefusal refusal) : IOException(refusal.Text)
{
    public EgressRefusal Refusal => refusal;
}
