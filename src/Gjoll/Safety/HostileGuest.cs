namespace Gjoll.Safety;

/// <summary>
/// A guest that does harm by script: as root where the provider's guest has one, else as its only user. It is run in sandboxes of its own, which are gone
/// afterwards, beside one that must not notice anything.
/// </summary>
public static class HostileGuest
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    private static readonly IReadOnlyList<HostileCase> Cases = [.. NetworkCases.All, .. SecretCases.All, .. NeighbourCases.All, .. ResourceCases.All];

    /// <summary>Carries out the attacks one after another; on machines of somebody else it says that they are not contained here. An attack that cannot be carried out counts as a breach, for nothing was proved.</summary>
    /// <param name="provider">A provider that works here.</param>
    /// <param name="image">The image of its sandboxes; null for the provider's default, or where it has none.</param>
    /// <param name="quickOnly">Leaves out what takes long or burdens the host.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Ends it; the sandboxes are removed all the same.</param>
    public static async Task<IReadOnlyList<SafetyRow>> RunAsync(ISandboxProvider provider, string? image, bool quickOnly, TimeProvider time, CancellationToken cancellationToken)
    {
        var report = await provider.ProbeAsync(cancellationToken);
        if (!report.Works)
        {
            throw new GjollException($"The provider {provider.Name} does not work here: {report.Reason}");
        }

        var cases = Cases.Where(attack => attack.IsQuick || !quickOnly);
        if (report.Foreign is { } why)
        {
            return [.. cases.Select(attack => new SafetyRow(attack.Id, attack.Attack, SafetyOutcome.Declared, why))];
        }

        await using var ground = await HostileGround.MakeAsync(provider, report, image, time, cancellationToken);
        List<SafetyRow> rows = [];
        foreach (var attack in cases)
        {
            rows.Add(Judge(attack, await AttackAsync(attack, ground, time, cancellationToken), report));
        }

        return rows;
    }

    private static async Task<string?> AttackAsync(HostileCase attack, HostileGround ground, TimeProvider time, CancellationToken cancellationToken)
    {
        using var bounded = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(bounded.Token, cancellationToken);
        try
        {
            return await attack.RunAsync(ground, either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return $"nothing is proved: no end within {Patience.TotalMinutes:0} minutes";
        }
        catch (Exception failure) when (failure is GjollException or IOException)
        {
            return $"nothing is proved: {failure.Message}";
        }
    }

    private static SafetyRow Judge(HostileCase attack, string? reached, ProviderReport report)
    {
        if (reached is null)
        {
            return new SafetyRow(attack.Id, attack.Attack, SafetyOutcome.Contained, null);
        }

        var said = attack.Declared is { } beginning ? report.NotContained.FirstOrDefault(sentence => sentence.StartsWith(beginning, StringComparison.Ordinal)) : null;
        return new SafetyRow(attack.Id, attack.Attack, said is null ? SafetyOutcome.Breach : SafetyOutcome.Declared, said is null ? reached : $"{said} Here: {reached}");
    }
}
