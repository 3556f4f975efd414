using System.Collections.Concurrent;
using System.Globalization;
using Drella.Forge.Storage;

namespace Drella.Forge.Git;

/// <summary>
/// The bare repositories below the data folder. A folder is named by the repository's number, so no name that a client chose is ever a path.
/// </summary>
internal sealed class RepositoryFolder(string root, GitRunner git)
{
    private readonly ConcurrentDictionary<long, SemaphoreSlim> _locks = new();

    public GitRepository Open(RepoRow repo) => Open(repo.Id);

    public GitRepository Open(long repoId) => new(Path.Combine(root, repoId.ToString(CultureInfo.InvariantCulture) + ".git"), git);

    public bool Exists(long repoId) => File.Exists(Path.Combine(Open(repoId).Path, "HEAD"));

    public void Delete(long repoId)
    {
        var path = Open(repoId).Path;
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
    }

    /// <summary>One at a time per repository: merges and the book-keeping after a push.</summary>
    public async Task<IDisposable> LockAsync(long repoId, CancellationToken cancellationToken)
    {
        var gate = _locks.GetOrAdd(repoId, _ => new SemaphoreSlim(1, 1));
        await gate.WaitAsync(cancellationToken);
        return new Release(gate);
    }

    private sealed class Release(SemaphoreSlim gate) : IDisposable
    {
        public void Dispose() => gate.Release();
    }
}
