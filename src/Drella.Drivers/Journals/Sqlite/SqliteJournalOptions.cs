namespace Drella.Drivers.Journals.Sqlite;

/// <summary>Where the journal lies.</summary>
public sealed class SqliteJournalOptions
{
    /// <summary>The data folder, taken: that it is in hand proves that there is no second writer.</summary>
    public required DataFolder Folder { get; set; }

    /// <summary>Most pages (4 KiB) of the journal's file and of the blobs' file, for tests of a full disk.</summary>
    internal long? MaxPages { get; set; }
}
