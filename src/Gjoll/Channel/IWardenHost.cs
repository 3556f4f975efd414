namespace Gjoll.Channel;

/// <summary>What the channel needs of a provider about one sandbox.</summary>
internal interface IWardenHost
{
    /// <summary>
    /// The warden's control socket, of a warden that lives: started anew when it had died. Fails with <see cref="GjollException"/> when the sandbox does
    /// not run. Called by many at once.
    /// </summary>
    Task<string> EnsureWardenAsync(CancellationToken cancellationToken);

    /// <summary>False as soon as the kernel is taking the guest down.</summary>
    bool IsRunning();

    /// <summary>What programs of the guest's user find in their environment.</summary>
    IReadOnlyDictionary<string, string> AgentEnvironment => GuestPaths.AgentEnvironment;
}
