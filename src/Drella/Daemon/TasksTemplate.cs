namespace Drella.Daemon;

/// <summary>The shipped tasks repository: what <c>drella tasks init</c> and the built-in forge begin one with.</summary>
internal static class TasksTemplate
{
    public static string Folder => Path.Combine(AppContext.BaseDirectory, "tasks-template");

    /// <summary>Every file by its path in the repository.</summary>
    public static IReadOnlyDictionary<string, string> Files() => Directory
        .EnumerateFiles(Folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None })
        .ToDictionary(file => Path.GetRelativePath(Folder, file).Replace('\\', '/'), File.ReadAllText);
}
