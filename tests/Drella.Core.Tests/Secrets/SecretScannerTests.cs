using System.Runtime.CompilerServices;
using System.Text;
using Drella.Core.Secrets;

namespace Drella.Core.Tests.Secrets;

public sealed class SecretScannerTests
{
    // Put together at run time: a scanner of the forge must not find them in this file.
    private const string Mixed = "aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xY1zA2bC3dE4fG5hH6jJ7kK8lL9mM0nN1pP2qQ3rR4sS5tT6uU7vV8wW9xX0yY";
    private const string Hex = "1a2b3c4d5e6f708192a3b4c5d6e7f8091b2c3d4e5f60718293a4b5c6d7e8f90a1c3e5f7092b4d6f8";
    private const string Known = "drl_8fK2mQz7Wn4Xc1Vb6Ty9Rp3Ls5Dj0Gh";

    public static TheoryData<string, string> Examples => new()
    {
        { "github-token", "ghp_" + Mixed[..36] },
        { "github-token", "ghs_" + Mixed[..36] },
        { "github-fine-grained-token", "github_pat_" + Mixed[..82] },
        { "gitlab-token", "glpat-" + Mixed[..20] },
        { "bitbucket-app-password", "ATBB" + Mixed[..32] },
        { "atlassian-token", "ATATT3" + Mixed[..80] },
        { "aws-access-key", "AKIA" + "Q3EGRZ7XK2MNV5TB" },
        { "aws-secret-key", "aws_secret_access_key = " + Mixed[..40] },
        { "google-api-key", "AIza" + Mixed[..35] },
        { "google-oauth-secret", "GOCSPX-" + Mixed[..28] },
        { "azure-storage-key", "AccountKey=" + Mixed[..86] + "==" },
        { "azure-client-secret", "abc8Q~" + Mixed[..34] },
        { "digitalocean-token", "dop_v1_" + Hex[..64] },
        { "hashicorp-vault-token", "hvs." + Mixed[..24] },
        { "terraform-cloud-token", Mixed[..14] + ".atlasv1." + Mixed[..67] },
        { "databricks-token", "dapi" + Hex[..32] },
        { "anthropic-key", "sk-ant-" + "api03-" + Mixed[..90] },
        { "openai-key", "sk-proj-" + Mixed[..60] },
        { "openai-key", "sk-" + Mixed[..48] },
        { "openrouter-key", "sk-or-v1-" + Hex[..64] },
        { "huggingface-token", "hf_" + "abcdefGHIJKLmnopqrSTUVWXyzabQWERty" },
        { "groq-key", "gsk_" + Mixed[..52] },
        { "slack-token", "xoxb-" + "123456789012-123456789012-" + Mixed[..24] },
        { "slack-webhook", "https://hooks.slack.com/services/" + "T00AB12CD/B00EF34GH/" + Mixed[..24] },
        { "discord-webhook", "https://discord.com/api/webhooks/" + "123456789012345678/" + Mixed[..68] },
        { "telegram-bot-token", "123456789:AA" + Mixed[..33] },
        { "stripe-key", "sk_live_" + Mixed[..24] },
        { "stripe-webhook-secret", "whsec_" + Mixed[..32] },
        { "shopify-token", "shpat_" + Hex[..32] },
        { "twilio-key", "twilio sid SK" + Hex[..32] },
        { "sendgrid-key", "SG." + Mixed[..22] + "." + Mixed[..43] },
        { "linear-key", "lin_api_" + Mixed[..40] },
        { "notion-token", "ntn_" + Mixed[..46] },
        { "figma-token", "figd_" + Mixed[..40] },
        { "grafana-token", "glsa_" + Mixed[..32] + "_" + Hex[..8] },
        { "newrelic-key", "NRAK-" + "7XK2MNV5TBQ3EGRZ9AC4DF6HJ8L" },
        { "postman-key", "PMAK-" + Hex[..24] + "-" + Hex[..34] },
        { "npm-token", "npm_" + Mixed[..36] },
        { "npm-auth-line", "//registry.example/:_authToken=" + Mixed[..24] },
        { "pypi-token", "pypi-AgE" + Mixed[..80] },
        { "rubygems-key", "rubygems_" + Hex[..48] },
        { "docker-token", "dckr_pat_" + Mixed[..27] },
        { "private-key", "-----BEGIN RSA " + "PRIVATE KEY-----\n" + Mixed + "\n" + Mixed + "\n-----END RSA PRIVATE KEY-----" },
        { "private-key", "\"-----BEGIN " + "PRIVATE KEY-----\\n" + Mixed + "\\n-----END PRIVATE KEY-----\"" },
        { "jwt", "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0NTY3ODkwIn0." + Mixed[..43] },
        { "password-in-url", "postgres://admin:" + Mixed[..16] + "@db.corp.example/main" },
        { "assigned-secret", "\"api_key\": \"" + Mixed[..40] + "\"" },
        { "environment-secret", "\nSERVICE_TOKEN=" + Mixed[..40] + "\n" },
    };

    [Theory]
    [MemberData(nameof(Examples))]
    public void Scan_FindsTheKindOfSecret(string rule, string text)
    {
        var finding = Assert.Single(new SecretScanner().Scan($"before\n  {text}\nafter"), f => f.Rule == rule);

        Assert.True(finding.Line is 2 or 3);
        var redacted = new Redactor(new SecretScanner()).Redact($"before\n  {text}\nafter");
        Assert.Contains($"[redacted:{rule}]", redacted, StringComparison.Ordinal);
        Assert.Empty(new SecretScanner().Scan(redacted));
    }

    [Fact]
    public void Rules_AreManyAndEachHasItsOwnName()
    {
        Assert.True(SecretRules.All.Count >= 40);
        Assert.Equal(SecretRules.All.Count, SecretRules.All.Select(r => r.Id).Distinct().Count());
    }

    [Theory]
    [InlineData("password = \"correct horse battery staple example\"")]
    [InlineData("var token = configuration.GetRequiredSection(\"Token\").Value;")]
    [InlineData("API_KEY=your_api_key_goes_in_here_1")]
    [InlineData("sha512-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    [InlineData("AKIAIOSFODNN7EXAMPLE")]
    [InlineData("if (header.StartsWith(\"-----BEGIN PRIVATE KEY-----\")) return PemKind.Private;")]
    [InlineData("https://user:pass@host.example/")]
    [InlineData("\"integrity\": \"sha512-v2kDEe57lecTulaDIuNTPy3Ry4gLGJ6Z1O3vE1krgXZNrsQ+LFTGHVxVjcXPs17LhbZVGedAJv8XZ1tvj5FvSg==\"")]
    public void Scan_LeavesOrdinaryTextAlone(string text) => Assert.Empty(new SecretScanner().Scan(text));

    [Fact]
    public void Scan_FindsNothingInTheSourcesOfTheFactory()
    {
        var sources = Path.Combine(Path.GetDirectoryName(Here())!, "..", "..", "..", "src");
        var scanner = new SecretScanner(new KnownSecrets([Known]));
        var files = Directory.EnumerateFiles(sources, "*", SearchOption.AllDirectories).Where(f => !f.Contains("node_modules", StringComparison.Ordinal)).ToArray();

        Assert.True(files.Length > 20);
        Assert.Empty(files.SelectMany(f => scanner.Scan(File.ReadAllText(f)).Select(s => $"{f}:{s.Line} {s.Rule}")));
    }

    public static TheoryData<string, string> Disguises => new()
    {
        { "plain", Known },
        { "reversed", string.Concat(Known.Reverse()) },
        { "hex", Convert.ToHexString(Encoding.UTF8.GetBytes(Known)) },
        { "hex, lower", Convert.ToHexStringLower(Encoding.UTF8.GetBytes(Known)) },
        { "base64", Convert.ToBase64String(Encoding.UTF8.GetBytes(Known)) },
        { "base64, one before", Convert.ToBase64String(Encoding.UTF8.GetBytes("x" + Known + "y")) },
        { "base64, two before", Convert.ToBase64String(Encoding.UTF8.GetBytes("xy" + Known + "zzz")) },
        { "base64 in lines", string.Join("\r\n", Convert.ToBase64String(Encoding.UTF8.GetBytes("key=" + Known)).Chunk(10).Select(c => new string(c))) },
        { "two lines", Known[..17] + "\n      " + Known[17..] },
        { "two literals", $"\"{Known[..9]}\" +\n \"{Known[9..]}\"" },
        { "escaped line end", Known[..17] + "\\n" + Known[17..] },
        { "first seven missing", Known[7..] },
        { "last seven missing", Known[..^7] },
    };

    [Theory]
    [MemberData(nameof(Disguises))]
    public void Scan_FindsAKnownSecretInDisguise(string disguise, string text)
    {
        var scanner = new SecretScanner(new KnownSecrets(["short", Known]));

        var findings = scanner.Scan($"innocent text\n{text}\nmore of it");

        Assert.True(findings.Count > 0, disguise);
        Assert.Equal(2, findings[0].Line);
        Assert.All(findings, f => Assert.Equal(KnownSecrets.Rule, f.Rule));
        var redacted = new Redactor(scanner).Redact($"innocent text\n{text}\nmore of it");
        Assert.DoesNotContain(Known[7..20], redacted, StringComparison.Ordinal);
        Assert.StartsWith("innocent text\n", redacted, StringComparison.Ordinal);
        Assert.EndsWith("\nmore of it", redacted, StringComparison.Ordinal);
    }

    [Fact]
    public void Scan_FindsAKnownSecretThatIsUrlEncoded()
    {
        const string Odd = "p@ss/w0rd+with=odd&characters#1";

        Assert.NotEmpty(new SecretScanner(new KnownSecrets([Odd])).Scan("https://x.example/?q=" + Uri.EscapeDataString(Odd)));
    }

    [Fact]
    public void Redact_GivesBackTheSameTextWhenThereIsNothing()
    {
        const string Text = "nothing here";

        Assert.Same(Text, new Redactor(new SecretScanner(new KnownSecrets([Known]))).Redact(Text));
    }

    [Fact]
    public void Scan_OfNearMissesEndsForEveryRule()
    {
        // Each hint over and over is the worst text for its pattern.
        foreach (var rule in SecretRules.All)
        {
            var text = string.Concat(Enumerable.Repeat(rule.Hints[0], 20_000 / rule.Hints[0].Length)) + new string('a', 20_000);
            Assert.NotNull(new SecretScanner().Scan(text));
        }
    }

    private static string Here([CallerFilePath] string path = "") => path;
}
