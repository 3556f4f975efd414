using System.Diagnostics;

namespace Gjoll.Cli.Tests;

internal static class HostCommand
{
    public static async Task<string> RunAsync(string folder, string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder })!;
        var error = process.StandardError.ReadToEndAsync(CancellationToken.None);
        var output = await process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        await process.WaitForExitAsync(CancellationToken.None);
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {await error}");
        return output;
    }

    public static Task<string> GitAsync(string folder, params string[] arguments) =>
        RunAsync(folder, "git", ["-c", "user.name=Person", "-c", "user.email=person@example.com", .. arguments]);
}
