using System.Collections.Concurrent;
using System.Text;
using Drella.Core.Forges;

namespace Drella.Drivers.Git;

/// <summary>
/// The bare repositories, one for each target repository, and who may work in one now. Made file by file rather than with
/// <c>git init</c>, so that no template or configuration of the machine gets in.
/// </summary>
internal sealed class GitStore(string folder)
{
    private const string Config = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n\tlogallrefupdates = false\n[gc]\n\tauto = 0\n";
    private readonly ConcurrentDictionary<string, SemaphoreSlim> gates = new(StringComparer.Ordinal);

    private string ScratchRoot => Path.Combine(folder, ".scratch");

    /// <summary>Waits until nobody else works in the store of the repository; makes the store when absent.</summary>
    public async Task<Lease> OpenAsync(RepoName repo, CancellationToken cancellationToken)
    {
        var path = Path.Combine(folder, $"{repo.Owner}__{repo.Name}.git".ToLowerInvariant());
        var gate = gates.GetOrAdd(path, _ => new SemaphoreSlim(1, 1));
        await gate.WaitAsync(cancellationToken);
        try
        {
            PrivateFolder.Make(folder);
            if (!File.Exists(Path.Combine(path, "HEAD")))
            {
                MakeRepository(path);
            }

            return new Lease(path, gate);
        }
        catch
        {
            gate.Release();
            throw;
        }
    }

    /// <summary>An empty folder that only the daemon can reach.</summary>
    public string MakeScratch(string name)
    {
        PrivateFolder.Make(ScratchRoot);
        var path = Path.Combine(ScratchRoot, name);
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }

        return PrivateFolder.Make(path);
    }

    public static void MakeRepository(string path)
    {
        foreach (var inner in new[] { "objects/pack", "objects/info", "refs/heads", "info" })
        {
            Directory.CreateDirectory(Path.Combine(path, inner));
        }

        File.WriteAllText(Path.Combine(path, "config"), Config, Encoding.ASCII);
        File.WriteAllText(Path.Combine(path, "HEAD"), "ref: refs/heads/none\n", Encoding.ASCII);
    }

    /// <summary>The right to work in one store, until disposed.</summary>
    internal sealed class Lease(string path, SemaphoreSlim gate) : IDisposable
    {
        public string Path { get; } = path;

        public string Objects => System.IO.Path.Combine(Path, "objects");

        public void Dispose() => gate.Release();
    }
}
