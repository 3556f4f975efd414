using System.Globalization;

namespace Gjoll.Records;

/// <summary>The right to change what stands under one name, until it is disposed or the process dies.</summary>
internal sealed class NameLock(FileStream stream, string path) : IDisposable
{
    /// <summary>False when the file was removed by an earlier holder between our opening it and our holding it: then it locks nothing.</summary>
    public bool IsCurrent
    {
        get
        {
            var descriptor = stream.SafeFileHandle.DangerousGetHandle().ToString(CultureInfo.InvariantCulture);
            return new FileInfo($"/proc/self/fd/{descriptor}").LinkTarget is { } target && !target.EndsWith(" (deleted)", StringComparison.Ordinal);
        }
    }

    /// <summary>For a name under which nothing is left. Whoever waits notices.</summary>
    public void RemoveFile() => File.Delete(path);

    public void Dispose() => stream.Dispose();
}
