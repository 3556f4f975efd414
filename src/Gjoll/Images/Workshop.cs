using System.Diagnostics;
using System.Globalization;
using System.Text;
using Gjoll.Hosts;

namespace Gjoll.Images;

/// <summary>
/// Where the programs of a build run: namespaces of their own, in which they are root whoever builds. All of them end, and all their mounts go, with the
/// first one, so that a cancelled build leaves nothing running and nothing mounted.
/// </summary>
internal sealed class Workshop(string folder, DateTimeOffset timestamp, BuildLog log)
{
    private static readonly string[] _passedOn = ["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"];

    /// <summary>Says why nothing can be built here; null when it can.</summary>
    public static string? Trouble()
    {
        var missing = new[] { ("mmdebstrap", "mmdebstrap"), ("mke2fs", "e2fsprogs"), ("tar", "tar"), ("unshare", "util-linux") }
            .Concat(Native.IsRoot ? [] : [("newuidmap", "uidmap")])
            .Where(tool => Find(tool.Item1) is null)
            .Select(tool => $"{tool.Item1} (package {tool.Item2})")
            .ToList();
        if (missing.Count > 0)
        {
            return $"These programs are missing: {string.Join(", ", missing)}.";
        }

        return Native.IsRoot || HasRange("/etc/subuid") && HasRange("/etc/subgid")
            ? null
            : $"{Environment.UserName} has no range of ids in /etc/subuid and /etc/subgid, so no tree with other owners can be made; an administrator gives one "
                + $"with 'usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {Environment.UserName}', or build as root.";
    }

    /// <summary>Whether so many bytes are to be held in memory or on the disk. Half of the memory that is free is left to others.</summary>
    public static string ScratchFor(long bytes)
    {
        // MemAvailable:   20480000 kB
        var line = File.ReadLines("/proc/meminfo").FirstOrDefault(line => line.StartsWith("MemAvailable:", StringComparison.Ordinal));
        var parts = line?.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return parts?.Length == 3 && long.Parse(parts[1], CultureInfo.InvariantCulture) * 1024 / 2 >= bytes ? "memory" : "disk";
    }

    /// <summary>Runs a program that is root of its tree; a failure carries the tail of what it wrote.</summary>
    /// <param name="network">Whether it may reach any.</param>
    /// <param name="onMark">Gets what stands behind <see cref="TreeScripts.Mark"/> in a line of its output.</param>
    public Task RunAsync(IReadOnlyList<string> command, bool network, CancellationToken cancellationToken, Action<string>? onMark = null)
    {
        string[] isolation = ["unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child", "--mount-proc"];
        string[] root = Native.IsRoot ? [] : ["--user", "--map-auto", "--map-root-user"];
        return RunPlainAsync([.. isolation, .. root, .. network ? Array.Empty<string>() : ["--net"], "--", .. command], cancellationToken, onMark);
    }

    /// <summary>Runs a program as who builds.</summary>
    public async Task RunPlainAsync(IReadOnlyList<string> command, CancellationToken cancellationToken, Action<string>? onMark = null)
    {
        await log.WriteLineAsync($"$ {string.Join(' ', command)}", cancellationToken);
        var tail = new TailBuffer(4 * 1024);
        var process = HostProcess.Start(command, Variables());
        process.StandardInput.Close();
        try
        {
            await Task.WhenAll(
                CopyAsync(process.StandardOutput.BaseStream, tail, onMark, cancellationToken),
                CopyAsync(process.StandardError.BaseStream, tail, onMark: null, cancellationToken));
            await process.WaitForExitAsync(cancellationToken);
            if (process.ExitCode != 0)
            {
                throw new BuildStepException(command, process.ExitCode, tail.ToString());
            }
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
                // What it wrote and mounted is quiet only when it is gone.
                await process.WaitForExitAsync(CancellationToken.None);
            }

            HostProcess.Release(process);
        }
    }

    /// <summary>Removes a folder of which other owners have a part.</summary>
    public Task RemoveAsync(string path, CancellationToken cancellationToken) =>
        RunAsync(["rm", "--recursive", "--force", "--one-file-system", "--", path], network: false, cancellationToken);

    private static string? Find(string program) => HostProcess.Path.Split(':').Select(part => Path.Combine(part, program)).FirstOrDefault(File.Exists);

    private static bool HasRange(string file)
    {
        try
        {
            return File.ReadLines(file).Any(line => line.StartsWith(Environment.UserName + ":", StringComparison.Ordinal)
                || line.StartsWith(Native.UserId + ":", StringComparison.Ordinal));
        }
        catch (IOException)
        {
            return false;
        }
    }

    private Dictionary<string, string> Variables()
    {
        var variables = new Dictionary<string, string>
        {
            ["LC_ALL"] = "C.UTF-8",
            ["TZ"] = "UTC",
            ["HOME"] = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile),
            ["TMPDIR"] = folder,
            ["SOURCE_DATE_EPOCH"] = timestamp.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
            // mke2fs takes the time from here, and its defaults from nowhere: those of the machine's own file would make images differ.
            ["E2FSPROGS_FAKE_TIME"] = timestamp.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
            ["MKE2FS_CONFIG"] = "/dev/null",
            // The kernel package would make an initrd that nothing boots, and take its time.
            ["INITRD"] = "No",
        };
        foreach (var name in _passedOn)
        {
            if (Environment.GetEnvironmentVariable(name) is { Length: > 0 } value)
            {
                variables[name] = value;
            }
        }

        return variables;
    }

    private async Task CopyAsync(Stream stream, TailBuffer tail, Action<string>? onMark, CancellationToken cancellationToken)
    {
        var buffer = new byte[16 * 1024];
        var line = new StringBuilder();
        int read;
        while ((read = await stream.ReadAsync(buffer, cancellationToken)) > 0)
        {
            tail.Append(buffer.AsSpan(0, read));
            await log.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            if (onMark is not null)
            {
                FindMarks(buffer.AsSpan(0, read), line, onMark);
            }
        }
    }

    private static void FindMarks(ReadOnlySpan<byte> bytes, StringBuilder line, Action<string> onMark)
    {
        foreach (var letter in bytes)
        {
            if (letter != (byte)'\n')
            {
                // Marks are short; of other lines no more is kept.
                _ = line.Length < 64 ? line.Append((char)letter) : line;
                continue;
            }

            if (line.ToString() is var text && text.StartsWith(TreeScripts.Mark, StringComparison.Ordinal))
            {
                onMark(text[TreeScripts.Mark.Length..]);
            }

            line.Clear();
        }
    }
}
