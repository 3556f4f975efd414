namespace Drella.Drivers.Journals.Sqlite;

/// <summary>The process that holds a data folder.</summary>
public sealed record FolderHolder(int ProcessId, string Command, DateTimeOffset Since);
