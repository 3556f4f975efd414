using System.Globalization;
using Gjoll.Hosts;

namespace Gjoll.Qemu;

/// <summary>
/// The memory of a template, shared by all its clones. QEMU 7.2 opens the file behind a private mapping for writing, so a file would be in the hands of
/// every clone's QEMU; a sealed file in memory can be opened so, and not be changed by anybody. A sleeping process holds it, so that it outlives commands
/// and daemons; when that is gone it is made anew from the template's file.
/// </summary>
internal static class TemplateMemory
{
    private const int Held = 9;

    // Argument: the memory, by a path under /proc.
    private const string Hold = """
        set -eu
        exec 9<>"$1"
        echo held
        exec setsid sleep infinity </dev/null >/dev/null 2>&1
        """;

    /// <summary>The path of the sealed memory. Call under the template's lock.</summary>
    /// <param name="marker">What the holder is known by.</param>
    /// <param name="file">What to fill it from.</param>
    /// <param name="check">Called with the filled and sealed memory before anybody else sees it.</param>
    /// <param name="cancellationToken">Leaves nothing behind.</param>
    public static async Task<string> EnsureAsync(string marker, string file, Func<string, Task> check, CancellationToken cancellationToken)
    {
        foreach (var (process, _) in Marking.Marked().Where(marked => marked.Marker == marker))
        {
            var path = PathOf(process.Id);
            if (Path.Exists(path) && ProcessTable.IsAlive(process))
            {
                return path;
            }
        }

        using var memory = Native.CreateMemory("gjoll-template");
        var own = string.Create(CultureInfo.InvariantCulture, $"/proc/{Environment.ProcessId}/fd/{memory.DangerousGetHandle()}");
        await HostProcess.RunAsync(["cp", "--sparse=always", "--", file, own], cancellationToken);
        Native.Seal(memory);
        await check(own);
        var holder = HostProcess.Start(["/bin/sh", "-c", Hold, "gjoll", own], new Dictionary<string, string> { [Marking.Variable] = marker });
        try
        {
            holder.StandardInput.Close();
            if (await holder.StandardOutput.ReadLineAsync(cancellationToken) != "held")
            {
                throw new GjollException($"The memory of a template could not be held: {Printable.Of(await holder.StandardError.ReadToEndAsync(cancellationToken))}");
            }

            return PathOf(holder.Id);
        }
        finally
        {
            HostProcess.Release(holder);
        }
    }

    private static string PathOf(int processId) => string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/fd/{Held}");
}
