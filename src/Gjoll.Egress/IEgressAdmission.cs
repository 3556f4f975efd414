namespace Gjoll.Egress;

/// <summary>Somebody who is let through, what he may reach, and until when. Asked from many connections at once.</summary>
public interface IEgressAdmission
{
    /// <summary>Host patterns: a canonical name, or <c>*.</c> and a name for its subdomains. Empty reaches nothing.</summary>
    IReadOnlyList<string> AllowedHosts { get; }

    /// <summary>False when the socket alone says who calls; then nothing is asked for and what is shown is not looked at.</summary>
    bool NeedsToken { get; }

    /// <summary>Fires when the admission ends: connections under way are cut.</summary>
    CancellationToken Ended { get; }

    /// <summary>True when the text is the admission's token and the admission is still on. Takes the same time for every text.</summary>
    bool Accepts(ReadOnlySpan<char> shown);
}
