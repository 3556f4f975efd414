using Gjoll.Wire;

namespace Gjoll.Channel;

/// <summary>The guest, or the warden for it, said no to a request. Inside this folder only: callers see a <see cref="GjollException"/>.</summary>
internal sealed class ChannelException(FailureCode code, string message) : Exception(message)
{
    public FailureCode Code => code;

    /// <summary>The guest's words are quoted as such, and bounded.</summary>
    public GjollException Explain(string attempt) =>
        new($"Could not {attempt}: {(Message.Length > 300 ? Message[..300] : Message)}", Code is FailureCode.Unavailable or FailureCode.Exhausted, this);
}
