using System.Text.Json;
using Drella.Core;

namespace Drella.Drivers.Journals.Sqlite;

/// <summary>
/// The one folder that holds all state, held by one process. The hold is the kernel's lock on a file: it ends with the process,
/// however that ends. Dispose to let go.
/// </summary>
public sealed class DataFolder : IDisposable
{
    private const string LockFile = "drella.lock";
    private const string HolderFile = "drella.holder.json";

    private readonly FileStream _lock;
    private bool _isLetGo;

    private DataFolder(string path, FileStream hold)
    {
        Path = path;
        _lock = hold;
    }

    /// <summary>Absolute path of the folder.</summary>
    public string Path { get; }

    /// <summary>Makes the folder when absent (for this user only) and takes it. A <see cref="DriverException"/> with
    /// <see cref="DriverFailure.Conflict"/> says which process holds it already.</summary>
    public static DataFolder Open(string path, TimeProvider time)
    {
        var folder = System.IO.Path.GetFullPath(path);
        FileStream hold;
        try
        {
            CreateFolder(folder);
            hold = new FileStream(System.IO.Path.Combine(folder, LockFile), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (UnauthorizedAccessException refused)
        {
            throw new DriverException(isTransient: false, $"The data folder {folder} cannot be written. Name one that can, or change its owner. {refused.Message}", refused)
            { Failure = DriverFailure.Forbidden };
        }
        catch (IOException taken) when (IsTaken(taken))
        {
            throw Taken(folder, taken);
        }
        catch (IOException failure)
        {
            throw new DriverException(isTransient: false, $"The data folder {folder} cannot be used: {failure.Message} Name another, or free space.", failure)
            { Failure = DriverFailure.Invalid };
        }

        var holder = new FolderHolder(Environment.ProcessId, Command(), time.GetUtcNow());
        try
        {
            WriteHolder(folder, holder);
        }
        catch (IOException full)
        {
            hold.Dispose();
            throw new DriverException(isTransient: true, $"The data folder {folder} cannot be written: {full.Message}", full) { Failure = DriverFailure.Exhausted };
        }

        return new DataFolder(folder, hold);
    }

    /// <summary>Who holds the folder, or null when nobody noted it. May name a process that has ended; the lock itself tells.</summary>
    public static FolderHolder? HolderOf(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<FolderHolder>(File.ReadAllBytes(System.IO.Path.Combine(path, HolderFile)));
        }
        catch (IOException)
        {
            return null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public void Dispose()
    {
        if (_isLetGo)
        {
            return;
        }

        // The note goes first: after the lock it could be the next holder's.
        _isLetGo = true;
        try
        {
            File.Delete(System.IO.Path.Combine(Path, HolderFile));
        }
        catch (IOException)
        {
            // A note that stays says nothing: the lock tells.
        }

        _lock.Dispose();
    }

    private static void CreateFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    // Written aside and renamed: a reader never sees half of it.
    private static void WriteHolder(string folder, FolderHolder holder)
    {
        var final = System.IO.Path.Combine(folder, HolderFile);
        File.WriteAllBytes(final + ".new", JsonSerializer.SerializeToUtf8Bytes(holder));
        File.Move(final + ".new", final, overwrite: true);
    }

    private static DriverException Taken(string folder, IOException inner)
    {
        var who = HolderOf(folder) is { } holder
            ? $"process {holder.ProcessId} ({holder.Command}), since {holder.Since:yyyy-MM-dd HH:mm:ss}Z"
            : $"another process ({inner.Message})";
        return new DriverException(isTransient: false, $"The data folder {folder} is in use by {who}. Stop that one first, or name another data folder.", inner)
        { Failure = DriverFailure.Conflict };
    }

    // EWOULDBLOCK on Linux and macOS, a sharing violation on Windows.
    private static bool IsTaken(IOException failure) => failure.HResult is 11 or 35 or unchecked((int)0x80070020);

    // The verb only: the rest of a command line can hold a password.
    private static string Command()
    {
        var arguments = Environment.GetCommandLineArgs();
        var program = System.IO.Path.GetFileNameWithoutExtension(arguments[0]);
        return arguments.Length > 1 && arguments[1].Length is > 0 and < 32 && arguments[1].All(char.IsAsciiLetterLower) ? $"{program} {arguments[1]}" : program;
    }
}
