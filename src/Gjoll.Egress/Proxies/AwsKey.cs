namespace Gjoll.Egress.Proxies;

/// <summary>A key of AWS. A class and not a record: nothing prints it.</summary>
internal sealed class AwsKey(string id, string secret, string? session)
{
    public string Id => id;

    public string Secret => secret;

    /// <summary>Session token of a temporary key; null for a lasting one.</summary>
    public string? Session => session;
}
