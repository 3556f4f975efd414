namespace Gjoll.Egress.Proxies;

/// <summary>A credential is not there. The message is for the operator and never shows a part of it; there is no inner exception, which might.</summary>
internal sealed class CredentialException(string message) : Exception(message);
