using System.Text.Json;

namespace Gjoll.Egress.Proxies;

/// <summary>A file of application default credentials. A class and not a record: nothing prints it.</summary>
internal sealed class GoogleFile
{
    private GoogleFile()
    {
    }

    public string? ClientEmail { get; private init; }

    public string? PrivateKey { get; private init; }

    public string? KeyId { get; private init; }

    public string? TokenUri { get; private init; }

    public string? ClientId { get; private init; }

    public string? ClientSecret { get; private init; }

    /// <summary>Set for a person's credentials, null for a service account's.</summary>
    public string? RefreshToken { get; private init; }

    public string? QuotaProject { get; private init; }

    public static GoogleFile Parse(string text, string path)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            var root = json.RootElement;
            return Get(root, "type") switch
            {
                "service_account" => new GoogleFile
                {
                    ClientEmail = Need(root, "client_email", path),
                    PrivateKey = Need(root, "private_key", path),
                    KeyId = Get(root, "private_key_id"),
                    TokenUri = Get(root, "token_uri"),
                },
                "authorized_user" => new GoogleFile
                {
                    ClientId = Need(root, "client_id", path),
                    ClientSecret = Need(root, "client_secret", path),
                    RefreshToken = Need(root, "refresh_token", path),
                    QuotaProject = Get(root, "quota_project_id") is { Length: > 0 } project ? SecretText.HeaderValue("", project, $"quota_project_id of '{path}'") : null,
                },
                _ => throw new CredentialException($"'{path}' is neither of type service_account nor authorized_user"),
            };
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException)
        {
            throw new CredentialException($"'{path}' is not a credential file in JSON");
        }
    }

    private static string? Get(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static string Need(JsonElement root, string name, string path) =>
        Get(root, name) is { Length: > 0 } value ? value : throw new CredentialException($"'{path}' has no {name}");
}
