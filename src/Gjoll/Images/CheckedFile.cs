using Gjoll.Hosts;

namespace Gjoll.Images;

/// <summary>
/// That a file that a machine boots from was hashed whole and found right. While the file is the same one, of the same size, last changed at the same moment, it need not be again; the
/// moment of the change of status cannot be set back by who changes the content.
/// </summary>
internal sealed record CheckedFile(string Sha256, FileIdentity File);
