namespace Gjoll.Guest.Channels;

/// <summary>What a pump tells its channel.</summary>
internal interface IPumpOwner
{
    /// <summary>There may be something to send.</summary>
    void Moved();

    void WasRead(int count);

    /// <summary>No more comes from the descriptor. The stream has ended.</summary>
    /// <param name="error">0 for an orderly end.</param>
    void WriterGone(Pump pump, int error);

    /// <summary>What is written to the descriptor reaches no one. The stream drops what comes.</summary>
    void ReaderGone(Pump pump);

    /// <summary>The host's last byte was written.</summary>
    void InputAtEnd(Pump pump);
}
