using Gjoll.Hosts;

namespace Gjoll.Bench;

/// <summary>What the benchmarks take from the repository they were built in.</summary>
internal static class Repository
{
    public static string Root { get; } = Find(AppContext.BaseDirectory);

    public static string NativeFolder => Path.Combine(Root, "artifacts/native");

    /// <summary>A small program of ours, compiled into one static file.</summary>
    public static async Task CompileAsync(string source, string target, CancellationToken cancellationToken)
    {
        var file = target + ".c";
        await using (var resource = typeof(Repository).Assembly.GetManifestResourceStream(source)!)
        await using (var copy = File.Create(file))
        {
            await resource.CopyToAsync(copy, cancellationToken);
        }

        await HostProcess.RunAsync(["gcc", "-O2", "-static", "-o", target, file], cancellationToken);
        File.Delete(file);
    }

    private static string Find(string folder) => File.Exists(Path.Combine(folder, "Drella.slnx")) ? folder : Find(Path.GetDirectoryName(folder)!);
}
