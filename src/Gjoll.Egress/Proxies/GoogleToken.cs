namespace Gjoll.Egress.Proxies;

/// <summary>An access token of Google and its times. A class and not a record: nothing prints it.</summary>
internal sealed class GoogleToken(string value, string? quotaProject, DateTimeOffset renewAt, DateTimeOffset expires)
{
    public string Value => value;

    /// <summary>Project that pays for a person's calls; null when it follows from the token.</summary>
    public string? QuotaProject => quotaProject;

    /// <summary>From here on another is fetched, while this one still serves.</summary>
    public DateTimeOffset RenewAt => renewAt;

    public DateTimeOffset Expires => expires;
}
