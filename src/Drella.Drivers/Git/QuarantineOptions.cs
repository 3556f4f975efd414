namespace Drella.Drivers.Git;

/// <summary>Where the quarantine stores lie and how much a guest may hand in.</summary>
public sealed class QuarantineOptions
{
    /// <summary>Folder of the stores; made when absent, private to the daemon.</summary>
    public string Folder { get; set; } = "";

    /// <summary>Largest bundle taken from a guest.</summary>
    public long MaxBundleBytes { get; set; } = 256L << 20;

    /// <summary>Most objects in one bundle.</summary>
    public int MaxBundleObjects { get; set; } = 500_000;

    /// <summary>Longest time for reading, checking and storing one bundle.</summary>
    public TimeSpan IngestTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Address space of the jailed Git that meets hostile objects.</summary>
    public long JailMemoryBytes { get; set; } = 2L << 30;

    /// <summary>Entries that the tree of a delivered commit may have.</summary>
    public int MaxTreeEntries { get; set; } = 500_000;

    /// <summary>Folders one inside another in a delivered tree.</summary>
    public int MaxTreeDepth { get; set; } = 128;

    /// <summary>Bytes of a path in a delivered tree.</summary>
    public int MaxPathBytes { get; set; } = 1024;

    /// <summary>Longest time for one command on a store without network.</summary>
    public TimeSpan LocalTimeout { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>Longest time for one fetch or push.</summary>
    public TimeSpan NetworkTimeout { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>Commits after which history is squashed into one when it is written again.</summary>
    public int MaxRewrittenCommits { get; set; } = 200;

    /// <summary>Commits shown to the policy.</summary>
    public int MaxInspectedCommits { get; set; } = 2_000;

    /// <summary>Files shown to the policy.</summary>
    public int MaxInspectedFiles { get; set; } = 10_000;

    /// <summary>Added text shown to the policy, all files together.</summary>
    public long MaxInspectedText { get; set; } = 64L << 20;

    /// <summary>
    /// False makes a missing bubblewrap an error. True takes bundles under limits but without namespaces, and says so in the log.
    /// </summary>
    public bool AllowUnjailedIngest { get; set; } = true;
}
