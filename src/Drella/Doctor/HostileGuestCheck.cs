using Gjoll;
using Gjoll.Safety;

namespace Drella.Doctor;

/// <summary>The quick part of the attacks that the sandboxes' own tests carry out.</summary>
internal static class HostileGuestCheck
{
    public static async Task<Check> RunAsync(ISandboxProvider provider, TimeProvider time, CancellationToken cancellationToken)
    {
        var rows = await HostileGuest.RunAsync(provider, image: null, quickOnly: true, time, cancellationToken);
        var breaches = rows.Where(row => row.Outcome == SafetyOutcome.Breach).Select(row => $"{row.Case} {row.Attack}: {row.Why}").ToList();
        var held = $"{rows.Count(row => row.Outcome == SafetyOutcome.Contained)} of {rows.Count} attacks held";
        return new Check(
            "hostile guest", breaches.Count == 0, breaches.Count == 0 ? held : $"DID NOT HOLD: {string.Join("; ", breaches)}", "do not run the factory on this machine until this holds");
    }
}
