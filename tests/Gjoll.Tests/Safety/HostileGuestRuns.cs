using Gjoll.Safety;

namespace Gjoll.Tests.Safety;

/// <summary>Runs the whole list on one provider, prints the table and keeps it where <c>./test</c> shows it.</summary>
internal static class HostileGuestRuns
{
    public static async Task HoldsAsync(ISandboxProvider provider, string? image)
    {
        var rows = await HostileGuest.RunAsync(provider, image, quickOnly: false, TimeProvider.System, TestContext.Current.CancellationToken);

        var table = SafetyTable.Of([(provider.Name, rows)]);
        await File.WriteAllTextAsync(Path.Combine(TestHost.RepositoryRoot, "artifacts", $"safety-{provider.Name}.md"), table, TestContext.Current.CancellationToken);
        TestContext.Current.TestOutputHelper?.WriteLine(table);
        Assert.DoesNotContain(rows, row => row.Outcome == SafetyOutcome.Breach);
        Assert.True(rows.Count > 20, $"{rows.Count} attacks only");
    }
}
