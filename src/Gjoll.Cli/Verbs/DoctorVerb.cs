using System.CommandLine;
using System.Globalization;
using Gjoll.Cli.Terminal;
using Gjoll.Cli.Work;
using Gjoll.Safety;

namespace Gjoll.Cli.Verbs;

/// <summary><c>doctor</c>: tries what there is on this machine, and says what to do where it does not work.</summary>
internal static class DoctorVerb
{
    private const long Reserve = 2L << 30;

    public static Command Build(Shell shell) => shell.Verb("doctor", "Try what this machine can do", RunAsync, shell.ProviderOption);

    /// <param name="Required">A failure of it is a failure of the whole.</param>
    /// <param name="Notes">What a provider does not contain here, and its warnings.</param>
    private sealed record Check(string Name, bool Ok, bool Required, string Detail, string? Remedy, IReadOnlyList<string> Notes);

    private static async Task<ExitCode> RunAsync(Call call)
    {
        var checks = new List<Check> { Home(call.House), Program("git", "push and pull carry commits with it"), Program("tar", "cp packs with it") };
        IReadOnlyList<string> providers = call.Value(call.Shell.ProviderOption) is { } one and not "auto" ? [one] : House.Ranking;
        foreach (var name in providers)
        {
            call.Speaker.Say($"trying {name} …");
            var report = await call.House.Provider(name).ProbeAsync(call.Cancellation);
            checks.Add(new Check(
                name, report.Works, false, report.Works ? "a sandbox was started and held" : report.Reason ?? "does not work", report.Remedy, [.. report.Warnings, .. report.NotContained]));
        }

        var works = checks.FirstOrDefault(check => providers.Contains(check.Name) && check.Ok);
        checks.Add(new Check(
            "sandboxes", works is not null, true, works is null ? "no provider works here" : $"{works.Name} is the strongest that works", works is null ? "mend one of the above" : null, []));
        if (works is not null)
        {
            call.Speaker.Say($"attacking {works.Name} from inside …");
            checks.Add(await AttackAsync(call, works.Name));
        }

        call.Speaker.Data(checks, writer =>
        {
            foreach (var check in checks)
            {
                writer.WriteLine(TerminalText.Show($"{(check.Ok ? "ok  " : check.Required ? "FAIL" : "no  ")} {check.Name,-12} {check.Detail}"));
                foreach (var note in check.Notes.Concat(check is { Ok: false, Remedy: { } remedy } ? [remedy] : []))
                {
                    writer.WriteLine(TerminalText.Show($"     {"",-12} {note}"));
                }
            }
        });
        return checks.All(check => check.Ok || !check.Required) ? ExitCode.Ok : ExitCode.CheckFailed;
    }

    private static async Task<Check> AttackAsync(Call call, string provider)
    {
        var rows = await HostileGuest.RunAsync(call.House.Provider(provider), image: null, quickOnly: true, call.House.Time, call.Cancellation);
        var breaches = rows.Where(row => row.Outcome == SafetyOutcome.Breach).Select(row => $"{row.Case} {row.Attack}: {row.Why}").ToList();
        return new Check(
            "hostile guest",
            breaches.Count == 0,
            true,
            breaches.Count == 0 ? $"{rows.Count(row => row.Outcome == SafetyOutcome.Contained)} of {rows.Count} attacks held" : "DID NOT HOLD: " + string.Join("; ", breaches),
            breaches.Count == 0 ? null : "run nothing hostile on this machine until this holds",
            [.. rows.Where(row => row.Outcome == SafetyOutcome.Declared).Select(row => $"not contained: {row.Case} {row.Attack}: {row.Why}")]);
    }

    private static Check Home(House house)
    {
        try
        {
            // Makes the folders, so that it is known whether they can be made.
            _ = house.Instances;
            var free = new DriveInfo(house.Home).AvailableFreeSpace;
            var detail = string.Create(CultureInfo.InvariantCulture, $"{house.Home}, {free >> 20} MiB free");
            return free >= Reserve
                ? new Check("home", true, true, detail, null, [])
                : new Check("home", false, true, detail, "free some space: 'gjoll gc', 'gjoll down', 'gjoll image rm'", []);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return new Check("home", false, true, failure.Message, "name a folder that can be written in GJOLL_HOME", []);
        }
    }

    private static Check Program(string name, string use)
    {
        var found = (Surroundings.Variable("PATH") ?? "").Split(':').Where(folder => folder.Length > 0).Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
        return new Check(name, found is not null, true, found ?? $"missing; {use}", found is null ? $"apt install {name}" : null, []);
    }
}
