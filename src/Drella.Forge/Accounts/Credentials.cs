using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Drella.Forge.Storage;

namespace Drella.Forge.Accounts;

/// <summary>Who sends a request. Tokens are stored as SHA-256 only, so the lookup compares digests and leaks nothing by its timing.</summary>
internal sealed class Credentials(Database database)
{
    /// <summary>Null for a request without credentials; refuses what is there and wrong.</summary>
    public UserRow? Authenticate(string? authorization)
    {
        if (string.IsNullOrEmpty(authorization))
        {
            return null;
        }

        var token = AuthenticationHeaderValue.TryParse(authorization, out var header) ? TokenOf(header) : null;
        var user = token is { Length: > 0 and <= 512 } ? database.Read(db => db.UserByTokenHash(Hash(token))) : null;
        return user ?? throw new ForgeRefusal(401, "Bad credentials");
    }

    public static byte[] Hash(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));

    public static string NewToken() => "drella_" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));

    private static string? TokenOf(AuthenticationHeaderValue header) => header.Scheme.ToUpperInvariant() switch
    {
        "TOKEN" or "BEARER" => header.Parameter,
        "BASIC" => PasswordOf(header.Parameter),
        _ => null,
    };

    private static string? PasswordOf(string? parameter)
    {
        var buffer = new byte[1024];
        if (parameter is null || parameter.Length > 1024 || !Convert.TryFromBase64String(parameter, buffer, out var length))
        {
            return null;
        }

        // Git sends any user name with the token as password; some clients send the token as the name.
        var parts = Encoding.UTF8.GetString(buffer, 0, length).Split(':', 2);
        return parts.Length == 2 && parts[1].Length > 0 && parts[1] != "x-oauth-basic" ? parts[1] : parts[0];
    }
}
