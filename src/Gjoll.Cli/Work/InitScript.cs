using System.Text;
using Gjoll.Environments;

namespace Gjoll.Cli.Work;

/// <summary>Runs an environment's script in the guest. What it writes is shown as it comes and kept, as far as a bound, for <c>gjoll logs</c>.</summary>
internal static class InitScript
{
    public const string LogName = "init.log";

    private const int MaxLog = 4 << 20;

    public static async Task RunAsync(
        ISandbox sandbox, string script, SandboxEnvironment environment, string folder, Speaker speaker, CancellationToken cancellationToken)
    {
        var spec = new ExecSpec { Command = ["/bin/sh", "-eu", "-s"], Environment = Doors.Variables(environment), OpenStandardInput = true };
        await using var process = await sandbox.ExecAsync(spec, cancellationToken);
        await using var log = new FileStream(Path.Combine(folder, LogName), FileMode.Create, FileAccess.Write, FileShare.Read);
        using var gate = new SemaphoreSlim(1);
        var output = Task.WhenAll(ShowAsync(process.StandardOutput), ShowAsync(process.StandardError));
        try
        {
            await process.StandardInput.WriteAsync(Encoding.UTF8.GetBytes(script), cancellationToken);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended before it had read itself; its exit says why.
        }

        var exit = await process.WaitAsync(cancellationToken);
        await output;
        if (!exit.Succeeded)
        {
            throw new GjollException($"The init script ended with code {exit.Code}.");
        }

        async Task ShowAsync(Stream stream)
        {
            using var reader = new StreamReader(stream, Encoding.UTF8, detectEncodingFromByteOrderMarks: false);
            var buffer = new char[4096];
            int read;
            while ((read = await reader.ReadAsync(buffer, cancellationToken)) > 0)
            {
                await gate.WaitAsync(cancellationToken);
                try
                {
                    var text = new string(buffer, 0, read);
                    await speaker.Talk.WriteAsync(TerminalText.Show(text));
                    if (log.Length < MaxLog)
                    {
                        await log.WriteAsync(Encoding.UTF8.GetBytes(text), cancellationToken);
                        await log.FlushAsync(cancellationToken);
                    }
                }
                finally
                {
                    gate.Release();
                }
            }
        }
    }
}
