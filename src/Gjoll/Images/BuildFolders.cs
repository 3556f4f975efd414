using System.Globalization;

namespace Gjoll.Images;

/// <summary>Where a build works: its cache, which it holds alone, and the folder in which the image grows.</summary>
internal sealed class BuildFolders : IDisposable
{
    /// <summary>ENOSPC.</summary>
    public const int NoSpaceError = 28;

    // EAGAIN: what the runtime gives for a file that another holds.
    private const int HeldError = 11;
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(200);

    private const string WorkPrefix = "work-";

    private readonly FileStream _lock;
    private readonly string _stamp;

    private BuildFolders(ImageBuildOptions options, FileStream hold, DateTimeOffset now)
    {
        _lock = hold;
        _stamp = now.ToString("yyyyMMdd-HHmmss-fff", CultureInfo.InvariantCulture);
        Cache = Path.GetFullPath(options.CacheFolder);
        Store = new ImageStore(options.StoreFolder);
        Work = Path.Combine(Cache, WorkPrefix + _stamp);
    }

    public string Cache { get; }
    public ImageStore Store { get; }

    /// <summary>Gone at the end of the build.</summary>
    public string Work { get; }

    /// <summary>Waits until no other build uses the cache; <paramref name="waiting"/> is called once when there is one.</summary>
    public static async Task<BuildFolders> OpenAsync(ImageBuildOptions options, VariantDefinition variant, TimeProvider time, Action waiting, CancellationToken cancellationToken)
    {
        var told = false;
        while (true)
        {
            if (TryOpen(options, variant, time.GetUtcNow()) is { } open)
            {
                return open;
            }

            if (!told)
            {
                waiting();
                told = true;
            }

            await Task.Delay(Patience, time, cancellationToken);
        }
    }

    private static BuildFolders? TryOpen(ImageBuildOptions options, VariantDefinition variant, DateTimeOffset now)
    {
        try
        {
            var cache = Directory.CreateDirectory(options.CacheFolder).FullName;
            return new BuildFolders(options, new FileStream(Path.Combine(cache, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None), now);
        }
        catch (IOException full) when (full.HResult == NoSpaceError)
        {
            throw NoSpace(options.CacheFolder, Required(variant), full);
        }
        catch (IOException held) when (held.HResult == HeldError)
        {
            return null;
        }
        catch (UnauthorizedAccessException refused)
        {
            throw new GjollException($"{options.CacheFolder} cannot be written to.", isTransient: false, refused);
        }
    }

    /// <summary>Removes what this build, or one that was killed, left behind. Only who holds the cache may.</summary>
    public async Task SweepAsync(Workshop workshop, CancellationToken cancellationToken)
    {
        foreach (var left in Directory.GetDirectories(Cache, WorkPrefix + "*"))
        {
            await workshop.RemoveAsync(left, cancellationToken);
        }

        Store.RemoveUnfinished(Cache);
    }

    public string Log(string name, string variant, int kept)
    {
        var logs = Directory.CreateDirectory(Path.Combine(Cache, "logs")).FullName;
        foreach (var old in Directory.GetFiles(logs).OrderDescending(StringComparer.Ordinal).OrderByDescending(File.GetLastWriteTimeUtc).Skip(kept - 1))
        {
            File.Delete(old);
        }

        return Path.Combine(logs, $"{name}-{variant}-{_stamp}.log");
    }

    /// <summary>Sooner than after minutes of work.</summary>
    public void RefuseLackOfSpace(VariantDefinition variant)
    {
        foreach (var folder in new[] { Cache, Store.Folder })
        {
            Directory.CreateDirectory(folder);
            if (new DriveInfo(folder).AvailableFreeSpace < Required(variant))
            {
                throw NoSpace(folder, Required(variant), cause: null);
            }
        }
    }

    public GjollException NoSpace(VariantDefinition variant, Exception cause) =>
        NoSpace(new[] { Cache, Store.Folder }.MinBy(folder => new DriveInfo(folder).AvailableFreeSpace)!, Required(variant), cause);

    public void Dispose() => _lock.Dispose();

    // The tree and its tar, at most as large as the disk each.
    private static long Required(VariantDefinition variant) => variant.DiskBytes * 2;

    private static GjollException NoSpace(string folder, long required, Exception? cause) => new(
        string.Create(CultureInfo.InvariantCulture, $"There is not enough space in {folder}: the build needs about {required} bytes, {new DriveInfo(folder).AvailableFreeSpace} are free. Nothing half-made is left."),
        isTransient: true,
        cause);
}
