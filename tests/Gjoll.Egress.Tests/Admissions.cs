namespace Gjoll.Egress.Tests;

/// <summary>Somebody let through with the one token of the tests.</summary>
internal sealed class Admissions(IReadOnlyList<string> hosts, CancellationToken ended) : IEgressAdmission
{
    public const string Token = "t0ken-of-this-sandbox";
    public const string Sandbox = "sandbox-1";

    public IReadOnlyList<string> AllowedHosts => hosts;

    public bool NeedsToken => true;

    public CancellationToken Ended => ended;

    public bool Accepts(ReadOnlySpan<char> shown) => shown.SequenceEqual(Token);
}
