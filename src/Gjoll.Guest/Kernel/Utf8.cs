using System.Text;

namespace Gjoll.Guest.Kernel;

internal static class Utf8
{
    /// <summary>As the kernel wants a text: with a zero behind it.</summary>
    public static byte[] Zero(string text)
    {
        var bytes = new byte[Encoding.UTF8.GetByteCount(text) + 1];
        Encoding.UTF8.GetBytes(text, bytes);
        return bytes;
    }
}
