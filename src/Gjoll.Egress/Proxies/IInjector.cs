namespace Gjoll.Egress.Proxies;

/// <summary>Adds one proxy's credential. Called from many requests at once; all but cancellation fails as <see cref="CredentialException"/>.</summary>
internal interface IInjector
{
    /// <summary>Header fields that only the host may set; the guest's are dropped.</summary>
    IReadOnlyList<string> Owned { get; }

    /// <summary>True when the whole body must be there before <see cref="InjectAsync"/>.</summary>
    bool HoldsBody { get; }

    /// <summary>Looks at the start whether the credential is there, without using it.</summary>
    Task CheckAsync(CancellationToken cancellationToken);

    /// <summary>Why a request cannot be given this credential; null when it can.</summary>
    EgressRefusal? Judge(OutgoingRequest request);

    Task InjectAsync(OutgoingRequest request, CancellationToken cancellationToken);
}
