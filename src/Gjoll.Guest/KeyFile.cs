using System.Text;
using Gjoll.Guest.Kernel;
using Gjoll.Wire;

namespace Gjoll.Guest;

internal static class KeyFile
{
    /// <summary>The key as 32 bytes, or as base64 of them. Null when the file holds none.</summary>
    public static byte[]? Read(string path)
    {
        if (Descriptors.TryReadFile(path, 4096) is not { } content)
        {
            return null;
        }

        if (content.Length == Handshake.KeySize)
        {
            return content;
        }

        var key = new byte[Handshake.KeySize];
        return Convert.TryFromBase64String(Encoding.ASCII.GetString(content).Trim(), key, out var length) && length == key.Length ? key : null;
    }
}
