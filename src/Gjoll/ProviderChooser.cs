namespace Gjoll;

/// <summary>Takes the strongest provider that works on this host, and says why.</summary>
public static class ProviderChooser
{
    /// <summary>Probes one after the other, the strongest first, until one works.</summary>
    /// <param name="providers">The strongest first.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<ProviderChoice> ChooseAsync(IEnumerable<ISandboxProvider> providers, CancellationToken cancellationToken)
    {
        var tried = new List<ProviderVerdict>();
        foreach (var provider in providers)
        {
            var report = await provider.ProbeAsync(cancellationToken);
            tried.Add(new ProviderVerdict(provider.Name, report));
            if (report.Works)
            {
                return new ProviderChoice(provider, tried);
            }
        }

        return new ProviderChoice(null, tried);
    }
}

/// <param name="Provider">Null when none works.</param>
/// <param name="Tried">In the order of the trial; the chosen one is the last.</param>
public sealed record ProviderChoice(ISandboxProvider? Provider, IReadOnlyList<ProviderVerdict> Tried)
{
    /// <summary>One sentence for each provider that was tried.</summary>
    public IReadOnlyList<string> Reasons =>
    [
        .. Tried.Select(verdict => verdict.Report.Works
            ? $"{verdict.Provider} works"
            : $"{verdict.Provider} does not work here: {verdict.Report.Reason}{(verdict.Report.Remedy is { } remedy ? $" ({remedy})" : "")}"),
    ];

    /// <exception cref="GjollException">None works; the message has the reasons.</exception>
    public ISandboxProvider Demand() =>
        Provider ?? throw new GjollException("No sandbox can be made here.\n" + string.Join('\n', Reasons.Select(reason => "  " + reason)));
}

public sealed record ProviderVerdict(string Provider, ProviderReport Report);
