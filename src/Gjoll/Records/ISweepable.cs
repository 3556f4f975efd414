namespace Gjoll.Records;

/// <summary>What a sweep asks of a provider. The lock of the name is held.</summary>
internal interface ISweepable<TRecord>
    where TRecord : class
{
    SandboxInfo Describe(SandboxName name, TRecord record);

    /// <summary>A record is whole and was started at least once: something of a start may be left of it.</summary>
    bool WasStarted(TRecord record);

    /// <summary>Marks and names of cgroups that belong to a record of another name.</summary>
    IReadOnlySet<string> BorrowedMarkers();

    /// <summary>Ends it without grace; what it holds is kept.</summary>
    Task StopAsync(SandboxName name, CancellationToken cancellationToken);

    /// <summary>Removes all of it. Null: only a folder is left.</summary>
    Task RemoveAsync(SandboxName name, TRecord? record, CancellationToken cancellationToken);
}
