using System.Text;

namespace Gjoll.Egress.Proxies;

/// <summary>Reads secrets from files, and says what is wrong without showing them.</summary>
internal static class SecretText
{
    private const int MaxBytes = 64 * 1024;

    public static async Task<string> ReadAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 4096, useAsync: true);
            var buffer = new byte[MaxBytes + 1];
            var length = await file.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
            return length <= MaxBytes ? Encoding.UTF8.GetString(buffer, 0, length) : throw new CredentialException($"'{path}' is too large to be a credential");
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new CredentialException($"'{path}' cannot be read: {problem.GetType().Name}");
        }
    }

    /// <summary>The value as it may stand in a header, without the line end that files have.</summary>
    public static string HeaderValue(string prefix, string text, string source)
    {
        var value = text.TrimEnd('\r', '\n');
        return value.Length > 0 && !value.AsSpan().ContainsAnyExceptInRange(' ', '~')
            ? prefix + value
            : throw new CredentialException($"{source} is empty, or not one line of printable ASCII");
    }
}
