namespace Gjoll.Egress.Proxies;

/// <summary>Reads AWS keys from the host's environment or the shared credentials file, anew each time.</summary>
internal sealed class AwsKeySource(ProxyCredential.AwsSigV4 credential, Func<string, string?> environment)
{
    public async Task<AwsKey> ReadAsync(CancellationToken cancellationToken)
    {
        if (credential.Profile is null && credential.File is null)
        {
            return Make(environment("AWS_ACCESS_KEY_ID"), environment("AWS_SECRET_ACCESS_KEY"), environment("AWS_SESSION_TOKEN"), "the environment");
        }

        var path = credential.File ?? environment("AWS_SHARED_CREDENTIALS_FILE")
            ?? (environment("HOME") is { Length: > 0 } home ? System.IO.Path.Combine(home, ".aws", "credentials") : throw new CredentialException("HOME is not set"));
        var profile = credential.Profile ?? "default";
        var values = Section(await SecretText.ReadAsync(path, cancellationToken), profile)
            ?? throw new CredentialException($"'{path}' has no profile '{Printable.Escape(profile, 80)}'");
        return Make(
            values.GetValueOrDefault("aws_access_key_id"), values.GetValueOrDefault("aws_secret_access_key"), values.GetValueOrDefault("aws_session_token"),
            $"profile '{Printable.Escape(profile, 80)}' of '{path}'");
    }

    private static AwsKey Make(string? id, string? secret, string? session, string source) =>
        IsKey(id) && IsKey(secret) && (string.IsNullOrEmpty(session) || IsKey(session))
            ? new AwsKey(id!, secret!, string.IsNullOrEmpty(session) ? null : session)
            : throw new CredentialException($"{source} has no access key and secret key");

    private static bool IsKey(string? text) => !string.IsNullOrEmpty(text) && !text.AsSpan().ContainsAnyExceptInRange('!', '~');

    private static Dictionary<string, string>? Section(string text, string profile)
    {
        Dictionary<string, string>? values = null;
        foreach (var line in text.Split('\n', StringSplitOptions.TrimEntries))
        {
            if (line.StartsWith('['))
            {
                if (values is not null)
                {
                    break;
                }

                values = line == $"[{profile}]" ? new(StringComparer.OrdinalIgnoreCase) : null;
            }
            else if (values is not null && line.Split('=', 2, StringSplitOptions.TrimEntries) is [var key, var value] && key.Length > 0 && key[0] is not ('#' or ';'))
            {
                values[key] = value;
            }
        }

        return values;
    }
}
