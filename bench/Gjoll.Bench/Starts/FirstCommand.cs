namespace Gjoll.Bench.Starts;

internal static class FirstCommand
{
    public static async Task RunAsync(ISandbox sandbox, CancellationToken cancellationToken)
    {
        var result = await sandbox.RunAsync(new ExecSpec { Command = ["/bin/true"], WorkingFolder = "/" }, cancellationToken);
        if (!result.Exit.Succeeded)
        {
            throw new GjollException($"/bin/true ended with code {result.Exit.Code}: {result.ErrorText}");
        }
    }
}
