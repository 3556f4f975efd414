using static Drella.Core.Secrets.SecretRule;

namespace Drella.Core.Secrets;

/// <summary>The kinds of secret that are known by their public format.</summary>
internal static class SecretRules
{
    private const string Quoted = """["'`]?\s{0,3}(?::|=|=>|:=)\s{0,3}["'`]""";

    public static IReadOnlyList<SecretRule> All { get; } =
    [
        // Forges
        For("github-token", "ghp_|gho_|ghu_|ghs_|ghr_", @"\b(gh[pousr]_[A-Za-z0-9]{36,255})\b", 3),
        For("github-fine-grained-token", "github_pat_", @"\b(github_pat_[A-Za-z0-9_]{60,255})\b", 3),
        For("gitlab-token", "glpat-|glptt-|gldt-|glrt-|glcbt-|glsoat-|glagent-|glimt-|glft-", @"\b(gl(?:pat|ptt|dt|rt|cbt|soat|agent|imt|ft)-[A-Za-z0-9_.-]{20,255})", 3),
        For("gitlab-runner-registration", "GR1348941", @"\b(GR1348941[A-Za-z0-9_-]{20})"),
        For("bitbucket-app-password", "ATBB", @"\b(ATBB[A-Za-z0-9]{32})\b", 3),
        For("atlassian-token", "ATATT3", @"\b(ATATT3[A-Za-z0-9_=-]{60,255})", 3),

        // Clouds
        For("aws-access-key", "AKIA|ASIA|ABIA|ACCA", @"\b((?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16})\b", 2.8),
        For("aws-secret-key", "aws", """(?i:aws)[A-Za-z0-9_. -]{0,25}(?i:secret|key)[A-Za-z0-9_. -]{0,20}["']?\s{0,3}[:=]\s{0,3}["']?([A-Za-z0-9/+]{40})(?:["'\s]|$)""", 4),
        For("aws-bedrock-key", "ABSK", @"\b(ABSK[A-Za-z0-9+/]{100,}={0,2})", 4),
        For("google-api-key", "AIza", @"\b(AIza[A-Za-z0-9_-]{35})", 3),
        For("google-oauth-secret", "GOCSPX-", @"\b(GOCSPX-[A-Za-z0-9_-]{28})", 3),
        For("google-oauth-token", "ya29.", @"\b(ya29\.[A-Za-z0-9_-]{40,})", 3),
        For("azure-storage-key", "AccountKey", @"AccountKey\s{0,3}=\s{0,3}([A-Za-z0-9+/]{86}==)", 4),
        For("azure-client-secret", "Q~", @"\b([A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34})", 3),
        For("azure-sas", "sig=", @"[?&]sig=([A-Za-z0-9%]{43,63}%3[Dd])", 3),
        For("digitalocean-token", "doo_v1_|dop_v1_|dor_v1_", @"\b(do[opr]_v1_[a-f0-9]{64})\b", 3),
        For("alibaba-access-key", "LTAI", @"\b(LTAI[A-Za-z0-9]{16,24})\b", 3),
        For("cloudflare-origin-ca", "v1.0-", @"\b(v1\.0-[a-f0-9]{24}-[a-f0-9]{146})\b"),
        For("heroku-key", "HRKU-", @"\b(HRKU-[A-Za-z0-9_-]{36,})", 3),
        For("fly-token", "fo1_|fm1", @"\b(fo1_[A-Za-z0-9_-]{43}|fm1[ar]_[A-Za-z0-9+/]{100,}={0,3})", 3),
        For("hashicorp-vault-token", "hvs.|hvb.", @"\b(hv[sb]\.[A-Za-z0-9_-]{24,})", 3),
        For("terraform-cloud-token", ".atlasv1.", @"\b([A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,70})", 3),
        For("pulumi-token", "pul-", @"\b(pul-[a-f0-9]{40})\b", 3),
        For("databricks-token", "dapi", @"\b(dapi[a-f0-9]{32}(?:-\d)?)\b", 3),
        For("doppler-token", "dp.", @"\b(dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9.]{40,})", 3),
        For("planetscale-token", "pscale_", @"\b(pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.-]{32,64})", 3),
        For("age-secret-key", "AGE-SECRET-KEY-1", @"\b(AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58})\b"),

        // Models
        For("anthropic-key", "sk-ant-", @"\b(sk-ant-[a-z0-9]{2,12}-[A-Za-z0-9_-]{24,255})", 3),
        For("openai-key", "sk-", @"\b(sk-(?:proj-|svcacct-|admin-)[A-Za-z0-9_-]{40,255}|sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}|sk-[A-Za-z0-9]{48})\b", 3.5),
        For("openrouter-key", "sk-or-", @"\b(sk-or-v1-[a-f0-9]{64})\b", 3),
        For("huggingface-token", "hf_", @"\b(hf_[A-Za-z]{34}|api_org_[A-Za-z]{34})\b", 3.5),
        For("replicate-token", "r8_", @"\b(r8_[A-Za-z0-9]{37})\b", 3),
        For("groq-key", "gsk_", @"\b(gsk_[A-Za-z0-9]{52})\b", 3),
        For("xai-key", "xai-", @"\b(xai-[A-Za-z0-9]{80})\b", 3),
        For("perplexity-key", "pplx-", @"\b(pplx-[A-Za-z0-9]{48})\b", 3),

        // Services
        For("slack-token", "xox", @"\b(xox[abeoprs]-[A-Za-z0-9-]{20,255})", 3),
        For("slack-app-token", "xapp-", @"\b(xapp-\d-[A-Z0-9]+-\d+-[a-z0-9]{40,})", 3),
        For("slack-webhook", "hooks.slack.com", @"(hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9+/]{40,60})", 3),
        For("discord-webhook", "/api/webhooks/", @"(discord(?:app)?\.com/api/webhooks/\d{17,20}/[A-Za-z0-9_-]{60,70})", 3),
        For("discord-bot-token", "discord", @"(?i:discord)[^\n]{0,40}?([MNO][A-Za-z0-9_-]{23,26}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,38})", 3),
        For("telegram-bot-token", ":AA", @"\b(\d{8,10}:AA[A-Za-z0-9_-]{33})", 3),
        For("stripe-key", "_live_|_test_", @"\b((?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,247})\b", 3),
        For("stripe-webhook-secret", "whsec_", @"\b(whsec_[A-Za-z0-9+/]{32,}={0,2})", 3),
        For("square-token", "EAAA|sq0", @"\b(EAAA[A-Za-z0-9_-]{60}|sq0(?:atp|csp)-[A-Za-z0-9_-]{22,43})", 3),
        For("shopify-token", "shpat_|shpca_|shppa_|shpss_", @"\b(shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32})\b", 3),
        For("twilio-key", "SK", @"(?i:twilio)[^\n]{0,60}?\b(SK[a-f0-9]{32})\b", 3),
        For("sendgrid-key", "SG.", @"\b(SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43})", 3),
        For("mailgun-key", "key-", @"(?i:mailgun)[^\n]{0,60}?\b(key-[a-f0-9]{32})\b", 3),
        For("mailchimp-key", "-us", @"(?i:mailchimp)[^\n]{0,60}?\b([a-f0-9]{32}-us\d{1,2})\b", 3),
        For("linear-key", "lin_api_|lin_oauth_", @"\b(lin_(?:api|oauth)_[A-Za-z0-9]{32,64})\b", 3),
        For("notion-token", "ntn_|secret_", @"\b(ntn_[A-Za-z0-9]{43,50})\b", 3),
        For("figma-token", "figd_", @"\b(figd_[A-Za-z0-9_-]{40})", 3),
        For("grafana-token", "glsa_|glc_", @"\b(glsa_[A-Za-z0-9]{32}_[a-f0-9]{8}|glc_[A-Za-z0-9+/]{32,}={0,3})", 3),
        For("sentry-token", "sntrys_|sntryu_", @"\b(sntry[su]_[A-Za-z0-9+/=_-]{50,})", 3),
        For("newrelic-key", "NRAK-", @"\b(NRAK-[A-Z0-9]{27})\b", 3),
        For("dynatrace-token", "dt0c01.", @"\b(dt0c01\.[A-Z0-9]{24}\.[A-Z0-9]{64})\b", 3),
        For("postman-key", "PMAK-", @"\b(PMAK-[a-f0-9]{24}-[a-f0-9]{34})\b", 3),

        // Registries
        For("npm-token", "npm_", @"\b(npm_[A-Za-z0-9]{36})\b", 3),
        For("npm-auth-line", "_authToken", @"_authToken\s{0,3}=\s{0,3}([A-Za-z0-9_/+=-]{20,})", 3),
        For("pypi-token", "pypi-AgE", @"\b(pypi-AgE[A-Za-z0-9_-]{50,})", 3),
        For("rubygems-key", "rubygems_", @"\b(rubygems_[a-f0-9]{48})\b", 3),
        For("nuget-key", "oy2", @"\b(oy2[a-z0-9]{43})\b", 3.5),
        For("crates-token", "cio", @"\b(cio[A-Za-z0-9]{32})\b", 3.8),
        For("docker-token", "dckr_", @"\b(dckr_(?:pat|oat)_[A-Za-z0-9_-]{27,})", 3),
        For("artifactory-key", "AKCp", @"\b(AKCp[A-Za-z0-9]{69})\b", 3),

        // Shapes
        For(
            "private-key",
            "PRIVATE KEY",
            """-----BEGIN (?:[A-Z0-9]{2,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----[\s\\nr"'+,]+(?:Proc-Type: 4,ENCRYPTED\s+DEK-Info: [A-Z0-9,-]+\s+)?[A-Za-z0-9+/=\s\\"',]{40}[A-Za-z0-9+/=\s\\"',]*(?:-----END[A-Z0-9 ]*-----)?"""),
        For("putty-key", "PuTTY-User-Key-File", @"(PuTTY-User-Key-File-[23]: [a-z0-9-]+)"),
        For("jwt", "eyJ", @"\b(eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{16,})", 3.5),
        For("password-in-url", "://", """[a-z][a-z0-9+.-]{1,15}://[^\s/:@"'<>{}$%\\]{1,64}:([^\s/:@"'<>{}$\\]{8,128})@[A-Za-z0-9.-]+\.[a-z]{2,}""", 3),
        For(
            "assigned-secret",
            "key|secret|token|passw|credential|auth",
            $$"""(?i:api_?-?key|secret|token|passw(?:or)?d|passwd|credential|auth_?-?key|access_?-?key|private_?-?key)[A-Za-z0-9_-]{0,20}{{Quoted}}([A-Za-z0-9+/_=.~-]{20,150})["'`]""",
            4.1),
        For(
            "environment-secret",
            "KEY=|SECRET=|TOKEN=|PASSWORD=",
            """(?m:^)(?:export )?[A-Z0-9_]{0,40}(?:KEY|SECRET|TOKEN|PASSWORD)=["']?([A-Za-z0-9+/_=.~-]{20,150})["']?(?m:\r?$)""",
            4.1),
    ];
}
