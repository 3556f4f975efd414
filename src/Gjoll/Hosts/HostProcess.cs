using System.Diagnostics;

namespace Gjoll.Hosts;

/// <summary>The one place where a process of the host is started: an argument list, an environment made from nothing, plain pipes.</summary>
internal static class HostProcess
{
    public const string Path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    public static bool IsInstalled(string program) => Find(program) is not null;

    /// <summary>The file that stands for a program in the host's usual folders; null when there is none.</summary>
    public static string? Find(string program) => Path.Split(':').Select(folder => System.IO.Path.Combine(folder, program)).FirstOrDefault(File.Exists);

    public static Process Start(IReadOnlyList<string> command, IReadOnlyDictionary<string, string> environment)
    {
        var info = new ProcessStartInfo(command[0])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = "/",
        };
        foreach (var argument in command.Skip(1))
        {
            info.ArgumentList.Add(argument);
        }

        info.Environment.Clear();
        info.Environment["PATH"] = Path;
        foreach (var (name, value) in environment)
        {
            info.Environment[name] = value;
        }

        try
        {
            return Process.Start(info) ?? throw new GjollException($"Could not start {command[0]}.");
        }
        catch (System.ComponentModel.Win32Exception failure)
        {
            throw new GjollException($"Could not start {command[0]}: {failure.Message}.", isTransient: false, failure);
        }
    }

    /// <summary>Process leaves streams open that were taken from it.</summary>
    public static void Release(Process process)
    {
        process.StandardInput.BaseStream.Dispose();
        process.StandardOutput.BaseStream.Dispose();
        process.StandardError.BaseStream.Dispose();
        process.Dispose();
    }

    /// <summary>Runs a short program to its end and gives its output; a failure carries the tail of what it wrote. A cancelled wait kills it.</summary>
    public static async Task<string> RunAsync(IReadOnlyList<string> command, CancellationToken cancellationToken)
    {
        var process = Start(command, new Dictionary<string, string> { ["LC_ALL"] = "C" });
        process.StandardInput.Close();
        var output = new TailBuffer(64 * 1024);
        var error = new TailBuffer(4 * 1024);
        try
        {
            await Task.WhenAll(
                output.ReadAllAsync(process.StandardOutput.BaseStream, cancellationToken),
                error.ReadAllAsync(process.StandardError.BaseStream, cancellationToken));
            await process.WaitForExitAsync(cancellationToken);
            return process.ExitCode == 0
                ? output.ToString()
                : throw new GjollException($"'{string.Join(' ', command.Take(3))} …' ended with code {process.ExitCode}: {error.ToString().Trim()}");
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw;
        }
        finally
        {
            Release(process);
        }
    }
}
