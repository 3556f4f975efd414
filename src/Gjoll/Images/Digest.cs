using System.Security.Cryptography;
using System.Text;

namespace Gjoll.Images;

/// <summary>SHA-256 as lower-case hexadecimal digits: what names images, layers and files.</summary>
internal static class Digest
{
    public const int Length = 64;

    private const int BufferSize = 1 << 20;

    public static bool IsWellFormed(string text) => text.Length == Length && text.All(digit => digit is (>= '0' and <= '9') or (>= 'a' and <= 'f'));

    public static string Of(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    public static string Of(string text) => Of(Encoding.UTF8.GetBytes(text));

    public static async Task<string> OfFileAsync(string path, CancellationToken cancellationToken)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, BufferSize, FileOptions.Asynchronous | FileOptions.SequentialScan);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellationToken));
    }
}
