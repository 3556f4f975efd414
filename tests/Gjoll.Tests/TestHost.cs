using System.Diagnostics;

namespace Gjoll.Tests;

internal static class TestHost
{
    /// <summary>Short, since paths of unix sockets are.</summary>
    public static string MakeFolder() => Directory.CreateTempSubdirectory("gj").FullName;

    public static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var output = await process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        await process.WaitForExitAsync(CancellationToken.None);
        Assert.Equal(0, process.ExitCode);
        return output;
    }
}
