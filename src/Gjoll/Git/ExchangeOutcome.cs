namespace Gjoll.Git;

/// <summary>How an exchange of commits ended.</summary>
public abstract record ExchangeOutcome
{
    private ExchangeOutcome()
    {
    }

    /// <param name="Branch">The branch of the guest.</param>
    /// <param name="Commit">Where it is.</param>
    /// <param name="Reference">The host's note of that, <c>gjoll/NAME/BRANCH</c>.</param>
    /// <param name="Local">The local branch that was moved; null when none was asked for.</param>
    /// <param name="Changed">False when there was nothing to do.</param>
    public sealed record Done(string Branch, string Commit, string Reference, string? Local, bool Changed) : ExchangeOutcome;

    /// <param name="Reason">In a sentence, with the remedy. Nothing was changed but, after a pull, the note.</param>
    public sealed record Refused(string Reason) : ExchangeOutcome;
}
