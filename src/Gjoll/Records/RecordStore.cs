using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Gjoll.Records;

/// <summary>The records on disk, and the locks that make calls on one name wait for one another, in this process and in others.</summary>
internal sealed class RecordStore<TRecord>(StateFolders folders, JsonTypeInfo<TRecord> type, TimeProvider time)
    where TRecord : class
{
    private static readonly TimeSpan LockPoll = TimeSpan.FromMilliseconds(10);

    public IReadOnlyList<SandboxName> Names() =>
        Directory.Exists(folders.Sandboxes)
            ? [.. Directory.EnumerateDirectories(folders.Sandboxes)
                .Select(folder => SandboxName.TryParse(Path.GetFileName(folder), out var name) ? name : null)
                .OfType<SandboxName>()
                .Order(Comparer<SandboxName>.Create((left, right) => string.CompareOrdinal(left.Value, right.Value)))]
            : [];

    /// <summary>Null when there is none.</summary>
    public TRecord? Read(SandboxName name)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(folders.Record(name));
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize(bytes, type);
        }
        catch (JsonException broken)
        {
            throw new GjollException($"The record of sandbox {name} cannot be read: {broken.Message}", isTransient: false, broken);
        }
    }

    /// <summary>Replaces the record in one step: a reader sees the old or the new one, also after a crash.</summary>
    public void Write(SandboxName name, TRecord record)
    {
        var path = folders.Record(name);
        var draft = path + ".new";
        using (var stream = new FileStream(draft, Private(FileMode.Create)))
        {
            JsonSerializer.Serialize(stream, record, type);
            stream.Flush(flushToDisk: true);
        }

        File.Move(draft, path, overwrite: true);
    }

    public Task<NameLock> LockAsync(SandboxName name, CancellationToken cancellationToken) => LockAsync(folders.Lock(name), cancellationToken);

    /// <summary>Whether somebody holds the lock at this moment. Nothing is changed.</summary>
    public bool IsLocked(SandboxName name)
    {
        try
        {
            using var look = new FileStream(folders.Lock(name), FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return false;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
        catch (DirectoryNotFoundException)
        {
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    /// <summary>A lock that is not a sandbox's; the word must not be the name of one.</summary>
    public Task<NameLock> LockFileAsync(string word, CancellationToken cancellationToken) => LockAsync(Path.Combine(folders.Locks, "." + word), cancellationToken);

    /// <summary>Held while a kernel user is chosen.</summary>
    public Task<NameLock> LockAllAsync(CancellationToken cancellationToken) => LockAsync(Path.Combine(folders.Locks, ".all"), cancellationToken);

    // The kernel drops the lock when its holder dies.
    private async Task<NameLock> LockAsync(string path, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folders.Locks);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                var held = new NameLock(new FileStream(path, Private(FileMode.OpenOrCreate)), path);
                if (held.IsCurrent)
                {
                    return held;
                }

                held.Dispose();
            }
            catch (IOException busy) when (busy.GetType() == typeof(IOException))
            {
                await Task.Delay(LockPoll, time, cancellationToken);
            }
        }
    }

    private static FileStreamOptions Private(FileMode mode) => new()
    {
        Mode = mode,
        Access = FileAccess.ReadWrite,
        Share = FileShare.None,
        UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
    };
}
