namespace Gjoll.Egress;

/// <summary>What one sandbox may reach through the egress proxy, as its environment file says. Nothing said is nothing reached.</summary>
public sealed record EgressPolicy
{
    /// <summary>Host patterns: a canonical name, or <c>*.</c> and a name of two labels or more for its subdomains.</summary>
    public IReadOnlyList<string> AllowedHosts { get; init; } = [];

    /// <summary>Private addresses that named hosts may lead to, with their ports. They open no host that is not allowed.</summary>
    public IReadOnlyList<AllowedAddress> AllowedAddresses { get; init; } = [];

    /// <summary>What is wrong with the policy, a sentence each that names the part; empty when it is good.</summary>
    public static IReadOnlyList<string> Validate(EgressPolicy policy) =>
        [.. AllowList.Problems(policy.AllowedHosts), .. policy.AllowedAddresses.SelectMany(AllowedAddress.Problems)];
}
