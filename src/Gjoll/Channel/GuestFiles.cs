using Gjoll.Hosts;

namespace Gjoll.Channel;

/// <summary>
/// Files in and out, always by a program inside the guest: a link that the guest made is followed in the guest, and the host opens nothing it wrote.
/// </summary>
internal static class GuestFiles
{
    private static readonly TimeSpan CopyTimeout = TimeSpan.FromMinutes(30);

    // The draft lies beside the target, so that the last step is a rename.
    private const string Write = """
        set -eu
        umask 077
        folder=$(dirname -- "$1"; echo .)
        folder=${folder%??}
        mkdir -p -m 755 -- "$folder"
        draft="$folder/.gjoll-$$"
        trap 'rm -f -- "$draft"' EXIT
        cat > "$draft"
        chmod -- "$2" "$draft"
        mv -T -- "$draft" "$1"
        """;

    public static async Task WriteAsync(ISandbox sandbox, string guestPath, Stream content, GuestFileMode mode, CancellationToken cancellationToken)
    {
        SpecCheck.CheckGuestPath(guestPath);
        var bits = mode switch
        {
            GuestFileMode.Private => "600",
            GuestFileMode.Readable => "644",
            GuestFileMode.Executable => "755",
            _ => throw new ArgumentOutOfRangeException(nameof(mode)),
        };
        await FeedAsync(sandbox, ["/bin/sh", "-c", Write, "gjoll", guestPath, bits], content, $"write {guestPath}", cancellationToken);
    }

    public static async Task CopyInAsync(ISandbox sandbox, string hostFolder, string guestFolder, CancellationToken cancellationToken)
    {
        SpecCheck.CheckGuestPath(guestFolder);
        if (!Directory.Exists(hostFolder))
        {
            throw new ArgumentException($"The host folder '{hostFolder}' does not exist.");
        }

        var pack = HostProcess.Start(["tar", "-C", Path.GetFullPath(hostFolder), "-cf", "-", "."], new Dictionary<string, string>());
        pack.StandardInput.Close();
        var error = new TailBuffer(4096);
        var errors = error.ReadAllAsync(pack.StandardError.BaseStream, cancellationToken);
        try
        {
            await FeedAsync(
                sandbox,
                ["/bin/sh", "-c", "mkdir -p -- \"$1\" && exec tar -C \"$1\" --no-same-owner -xf -", "gjoll", guestFolder],
                pack.StandardOutput.BaseStream,
                $"copy {hostFolder} to {guestFolder}",
                cancellationToken);
            await pack.WaitForExitAsync(cancellationToken);
            await errors;
            if (pack.ExitCode != 0)
            {
                throw new GjollException($"Could not read all of {hostFolder}: {error.ToString().Trim()}");
            }
        }
        finally
        {
            if (!pack.HasExited)
            {
                pack.Kill();
            }

            HostProcess.Release(pack);
        }
    }

    public static IReadOnlyList<string> ArchiveCommand(string guestPath)
    {
        SpecCheck.CheckGuestPath(guestPath);
        var trimmed = guestPath.TrimEnd('/');
        var cut = trimmed.LastIndexOf('/');
        return trimmed.Length == 0
            ? ["tar", "-C", "/", "-cf", "-", "--one-file-system", "."]
            : ["tar", "-C", cut == 0 ? "/" : trimmed[..cut], "-cf", "-", "--one-file-system", "--", trimmed[(cut + 1)..]];
    }

    public static async Task<long> CopyOutAsync(
        ISandbox sandbox, IReadOnlyList<string> command, string guestPath, Stream destination, long maxBytes, CancellationToken cancellationToken)
    {
        SpecCheck.CheckGuestPath(guestPath);
        ArgumentOutOfRangeException.ThrowIfNegative(maxBytes);
        await using var process = await sandbox.ExecAsync(new ExecSpec { Command = command, WorkingFolder = "/", Timeout = CopyTimeout }, cancellationToken);
        var error = new TailBuffer(4096);
        var errors = error.ReadAllAsync(process.StandardError, cancellationToken);
        var buffer = new byte[64 * 1024];
        long total = 0;
        int read;
        while ((read = await process.StandardOutput.ReadAsync(buffer, cancellationToken)) > 0)
        {
            var room = (int)Math.Min(read, maxBytes - total);
            await destination.WriteAsync(buffer.AsMemory(0, room), cancellationToken);
            total += room;
            if (room < read)
            {
                throw new GjollException($"{guestPath} holds more than the {maxBytes} bytes that are allowed.");
            }
        }

        var exit = await process.WaitAsync(cancellationToken);
        await errors;
        return exit.Succeeded ? total : throw Failure($"read {guestPath}", exit, error);
    }

    private static async Task FeedAsync(ISandbox sandbox, IReadOnlyList<string> command, Stream content, string attempt, CancellationToken cancellationToken)
    {
        var spec = new ExecSpec { Command = command, WorkingFolder = "/", OpenStandardInput = true, Timeout = CopyTimeout, OutputLimit = 1 << 20 };
        await using var process = await sandbox.ExecAsync(spec, cancellationToken);
        var error = new TailBuffer(4096);
        var talk = Task.WhenAll(error.ReadAllAsync(process.StandardError, cancellationToken), error.ReadAllAsync(process.StandardOutput, cancellationToken));
        try
        {
            await content.CopyToAsync(process.StandardInput, cancellationToken);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // The guest stopped reading; its exit says why.
        }

        var exit = await process.WaitAsync(cancellationToken);
        await talk;
        if (!exit.Succeeded)
        {
            throw Failure(attempt, exit, error);
        }
    }

    private static GjollException Failure(string attempt, ExitStatus exit, TailBuffer error) =>
        new($"Could not {attempt} in the guest: {exit.Cause}, code {exit.Code}: {error.ToString().Trim()}");
}
