using System.Globalization;
using Gjoll.Hosts;

namespace Gjoll.OpenTofu;

/// <summary>
/// Runs the system's SSH client against one machine, with a key and known hosts of its own and nothing of the user's configuration. The machine's key is
/// taken at the first contact and demanded ever after, whatever its address is then.
/// </summary>
internal sealed class SshDoor(TofuFolders folders, SandboxName name, TofuOutputs machine)
{
    private static readonly Dictionary<string, string> Environment = new() { ["LC_ALL"] = "C", ["HOME"] = "/nonexistent" };

    /// <summary>The whole command line that runs <paramref name="command"/> there, by the login shell of its user.</summary>
    public IReadOnlyList<string> CommandLine(string command) =>
    [
        "ssh", "-F", "none", "-T", "-i", folders.SshKey(name), "-p", machine.SshPort.ToString(CultureInfo.InvariantCulture),
        "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", "ForwardAgent=no", "-o", "ForwardX11=no",
        "-o", "ClearAllForwardings=yes", "-o", "PermitLocalCommand=no", "-o", "ControlMaster=no", "-o", "ControlPath=none",
        "-o", $"UserKnownHostsFile={folders.KnownHosts(name)}", "-o", "GlobalKnownHostsFile=/dev/null", "-o", "UpdateHostKeys=no", "-o", "CheckHostIP=no",
        "-o", $"HostKeyAlias=gjoll-{name}", "-o", $"StrictHostKeyChecking={(IsKnown ? "yes" : "accept-new")}",
        "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=4", "-o", "LogLevel=ERROR",
        "--", $"{machine.SshUser}@{machine.PublicIp}", command,
    ];

    private bool IsKnown => new FileInfo(folders.KnownHosts(name)) is { Exists: true, Length: > 0 };

    /// <summary>The exit code is that of the command; 255 is SSH's own.</summary>
    public async Task<(int Code, string Output, string Error)> RunAsync(string command, Stream? input, CancellationToken cancellationToken)
    {
        var process = HostProcess.Start(CommandLine(command), Environment);
        var output = new TailBuffer(64 * 1024);
        var error = new TailBuffer(4 * 1024);
        try
        {
            var streams = Task.WhenAll(
                output.ReadAllAsync(process.StandardOutput.BaseStream, cancellationToken),
                error.ReadAllAsync(process.StandardError.BaseStream, cancellationToken));
            try
            {
                if (input is not null)
                {
                    await input.CopyToAsync(process.StandardInput.BaseStream, cancellationToken);
                }

                process.StandardInput.Close();
            }
            catch (IOException)
            {
                // It ended before it had read all; its exit says why.
            }

            await streams;
            await process.WaitForExitAsync(cancellationToken);
            return (process.ExitCode, output.ToString(), Printable.Of(error.ToString()));
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw;
        }
        finally
        {
            HostProcess.Release(process);
        }
    }

    /// <exception cref="GjollException">It failed.</exception>
    public async Task<string> DemandAsync(string attempt, string command, Stream? input, CancellationToken cancellationToken)
    {
        var (code, output, error) = await RunAsync(command, input, cancellationToken);
        return code == 0 ? output : throw new GjollException($"Could not {attempt} over SSH: code {code}: {error}", isTransient: code == 255);
    }
}
