namespace Gjoll.Safety;

/// <summary>What became of one attack on one provider.</summary>
/// <param name="Case">Its number in the list of threats.</param>
/// <param name="Attack">What the guest did, in words.</param>
/// <param name="Outcome">Whether it was held.</param>
/// <param name="Why">What was reached, or what the provider says about it; null when it was contained.</param>
public sealed record SafetyRow(string Case, string Attack, SafetyOutcome Outcome, string? Why);

public enum SafetyOutcome
{
    Contained,

    /// <summary>Not contained, and the provider says so itself in <see cref="ProviderReport.NotContained"/>.</summary>
    Declared,

    /// <summary>Not contained, and nobody said so: a defect, or an attack that could not be carried out to its end.</summary>
    Breach,
}
