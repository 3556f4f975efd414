namespace Gjoll.Wire;

/// <summary>The other side broke the protocol. The message says how and holds nothing of what it sent.</summary>
public sealed class WireException(string message) : Exception(message);
