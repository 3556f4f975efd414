using System.Buffers;
using System.Net;

namespace Gjoll.Egress.Proxies;

/// <summary>Finds every fault of proxies at once. No sentence repeats a value that could hold a secret.</summary>
internal static class ProxyCheck
{
    private const int MaxName = 32;
    private static readonly SearchValues<char> NameCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");

    private static readonly SearchValues<char> Token =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

    public static IReadOnlyList<string> Problems(IReadOnlyList<ProxyDefinition> proxies)
    {
        var problems = new List<string>();
        foreach (var proxy in proxies)
        {
            var name = Printable.Escape(proxy.Name ?? "", 80);
            problems.AddRange(Problems(proxy).Select(problem => $"proxy '{name}': {problem}"));
        }

        problems.AddRange(proxies.GroupBy(proxy => proxy.Name).Where(same => same.Count() > 1).Select(same => $"proxy '{Printable.Escape(same.Key ?? "", 80)}': there are several"));
        problems.AddRange(proxies.GroupBy(proxy => proxy.Port).Where(same => same.Count() > 1).Select(same => $"proxy '{Printable.Escape(same.Last().Name ?? "", 80)}': port {same.Key} is taken by another"));
        return problems;
    }

    private static IEnumerable<string> Problems(ProxyDefinition proxy)
    {
        if (proxy.Name is not { Length: > 0 and <= MaxName } || proxy.Name.AsSpan().ContainsAnyExcept(NameCharacters) || !char.IsAsciiLetter(proxy.Name[0]))
        {
            yield return $"name: must be a-z, 0-9 and '-', begin with a letter and have at most {MaxName} characters";
        }

        if (proxy.Port is < 1 or > ushort.MaxValue)
        {
            yield return $"port: {proxy.Port} is not a port";
        }

        var target = ProxyTarget.Parse(proxy.Target);
        if (target is null)
        {
            yield return "target: must be 'https://host[:port][/path]' or the same with http, lower case, without user, query and fragment";
        }

        var pinned = Addresses.Parse(proxy.Addresses);
        if (pinned.Count != proxy.Addresses.Count)
        {
            yield return "addresses: each must be an address and a port, such as 10.1.2.3:443";
        }

        if (target is not null && IPAddress.TryParse(target.Host, out var literal) && !(pinned.Count > 0 ? pinned.Contains(new IPEndPoint(literal, target.Port)) : AddressPolicy.IsPublic(literal)))
        {
            yield return "target: is an address that is not public; name it with its port in 'addresses' to mean it";
        }

        if (target is { IsTls: false } && proxy.Credential is not ProxyCredential.None && pinned.Count == 0)
        {
            yield return "target: a credential would be sent in the clear; use https, or name the only 'addresses' it may go to";
        }

        if (target is { IsTls: false } && proxy.AuthorityFile is not null)
        {
            yield return "authority_file: has no meaning over http";
        }

        foreach (var problem in Rules(proxy.Allow).Concat(Credential(proxy.Credential, target)).Concat(Bounds(proxy)).Concat(File("authority_file", proxy.AuthorityFile)))
        {
            yield return problem;
        }
    }

    private static IEnumerable<string> Rules(IReadOnlyList<ProxyRule> rules)
    {
        if (rules.Count == 0)
        {
            yield return "allow: nothing is allowed, so that the proxy would be of no use";
        }

        foreach (var rule in rules)
        {
            if (PathPattern.Parse(rule.Path, out var problem) is null)
            {
                yield return $"allow: path '{Printable.Escape(rule.Path ?? "", 80)}' {problem}";
            }

            if (rule.Methods.Count == 0)
            {
                yield return $"allow: path '{Printable.Escape(rule.Path ?? "", 80)}' has no methods";
            }

            foreach (var method in rule.Methods.Where(method => method is null or "" or "CONNECT" or "TRACE" || method.AsSpan().ContainsAnyExceptInRange('A', 'Z')))
            {
                yield return $"allow: '{Printable.Escape(method ?? "", 80)}' is not a method that can be allowed";
            }
        }
    }

    private static IEnumerable<string> Credential(ProxyCredential credential, ProxyTarget? target) => credential switch
    {
        ProxyCredential.None => [],
        ProxyCredential.Static one => Header(one.Header, one.Prefix).Concat(File("credential.value_file", one.File))
            .Concat(one.Variable is null == one.File is null ? ["credential: needs 'value_env' or 'value_file', and not both"] : []),
        ProxyCredential.Renewed one => Header(one.Header, one.Prefix).Concat(File("credential.value_file", one.File ?? "")),
        ProxyCredential.GoogleAdc one => Google(one),
        ProxyCredential.AwsSigV4 one => Aws(one, target),
        _ => ["credential: is of no known kind"],
    };

    private static IEnumerable<string> Header(string? header, string? prefix)
    {
        if (string.IsNullOrEmpty(header) || header.AsSpan().ContainsAnyExcept(Token) || Fields.IsOurs(header))
        {
            yield return $"credential.header: '{Printable.Escape(header ?? "", 80)}' is not a header that can carry a credential";
        }

        if (prefix.AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            yield return "credential.prefix: must be printable ASCII";
        }
    }

    private static IEnumerable<string> Google(ProxyCredential.GoogleAdc google)
    {
        if (google.Scopes.Count == 0 || google.Scopes.Any(scope => string.IsNullOrEmpty(scope) || scope.AsSpan().ContainsAnyExceptInRange('!', '~')))
        {
            yield return "credential.scopes: must be one scope or more, without spaces";
        }

        var pinned = Addresses.Parse(google.TokenAddresses);
        if (pinned.Count != google.TokenAddresses.Count)
        {
            yield return "credential.token_addresses: each must be an address and a port";
        }

        if (google.TokenEndpoint is not null && (ProxyTarget.Parse(google.TokenEndpoint) is not { } endpoint || (!endpoint.IsTls && pinned.Count == 0)))
        {
            yield return "credential.token_endpoint: must be an https address, or http with 'token_addresses'";
        }

        if (google.MetadataServer is { } server && Addresses.Parse([server]).Count == 0)
        {
            yield return "credential.metadata_server: must be an address and a port, such as 169.254.169.254:80";
        }

        foreach (var problem in File("credential.credential_file", google.File))
        {
            yield return problem;
        }
    }

    private static IEnumerable<string> Aws(ProxyCredential.AwsSigV4 aws, ProxyTarget? target)
    {
        if (string.IsNullOrEmpty(aws.Service) || aws.Service.AsSpan().ContainsAnyExcept(NameCharacters))
        {
            yield return "credential.service: must be a-z, 0-9 and '-'";
        }

        if (string.IsNullOrEmpty(aws.Region) || aws.Region.AsSpan().ContainsAnyExcept(NameCharacters))
        {
            yield return "credential.region: must be a-z, 0-9 and '-'";
        }

        if (aws.UnsignedPayload && (aws.Service != "s3" || target is { IsTls: false }))
        {
            yield return "credential.unsigned_payload: only S3 over https takes bodies that are not signed";
        }

        foreach (var problem in File("credential.credential_file", aws.File))
        {
            yield return problem;
        }
    }

    private static IEnumerable<string> Bounds(ProxyDefinition proxy) =>
        new[]
        {
            ("max_request_bytes", proxy.MaxRequestBytes), ("max_response_bytes", proxy.MaxResponseBytes), ("max_connections", proxy.MaxConnections),
            ("answer_timeout", proxy.AnswerTimeout.Ticks), ("idle_timeout", proxy.IdleTimeout.Ticks),
        }
        .Where(bound => bound.Item2 <= 0).Select(bound => $"{bound.Item1}: must be more than zero");

    private static IEnumerable<string> File(string key, string? path) =>
        path is null || Path.IsPathFullyQualified(path) ? [] : [$"{key}: must be an absolute path"];
}
