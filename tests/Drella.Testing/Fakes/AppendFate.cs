namespace Drella.Testing.Fakes;

/// <summary>What becomes of an append to a <see cref="MemoryJournal"/>.</summary>
public enum AppendFate
{
    /// <summary>Kept and acknowledged.</summary>
    Kept,

    /// <summary>The process dies before anything was kept: <see cref="SimulatedCrashException"/>.</summary>
    CrashBefore,

    /// <summary>All entries are kept, but the process dies before it learns so: <see cref="SimulatedCrashException"/>.</summary>
    CrashAfter,

    /// <summary>Refused as by a full disk; nothing is kept.</summary>
    DiskFull,
}
