using Gjoll.Wire;

namespace Gjoll.Guest;

/// <summary>The answer to a request is no; the link goes on.</summary>
internal sealed class RequestException(FailureCode code, string message) : Exception(message)
{
    public FailureCode Code { get; } = code;
}
