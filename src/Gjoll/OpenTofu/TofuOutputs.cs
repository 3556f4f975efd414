using System.Text.Json;
using System.Text.RegularExpressions;
using Gjoll.Hosts;

namespace Gjoll.OpenTofu;

/// <summary>What the user's file says of the machine that it made.</summary>
public sealed partial record TofuOutputs
{
    public required string PublicIp { get; init; }
    public required string InstanceId { get; init; }
    public required string SshUser { get; init; }
    public int SshPort { get; init; } = 22;
    public string? InitScript { get; init; }
    public IReadOnlyList<TofuFile> CopyFiles { get; init; } = [];
    public IReadOnlyList<TofuProxy> Proxies { get; init; } = [];

    /// <summary>Reads what <c>tofu output -json</c> writes: <c>{"NAME": {"value": …}}</c>. All that is wrong is said at once.</summary>
    /// <exception cref="GjollException">Something is.</exception>
    internal static TofuOutputs Parse(string json)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(json);
        }
        catch (JsonException broken)
        {
            throw new GjollException($"'tofu output -json' wrote no JSON: {broken.Message}", isTransient: false, broken);
        }

        using (document)
        {
            var problems = new List<string>();
            var outputs = Read(document.RootElement, problems);
            return problems.Count == 0 ? outputs : throw new GjollException("The outputs of the OpenTofu file cannot be used: " + string.Join(" ", problems));
        }
    }

    private static TofuOutputs Read(JsonElement root, List<string> problems)
    {
        var values = root.ValueKind == JsonValueKind.Object
            ? root.EnumerateObject().Where(output => output.Value.ValueKind == JsonValueKind.Object && output.Value.TryGetProperty("value", out _))
                .ToDictionary(output => output.Name, output => output.Value.GetProperty("value"), StringComparer.Ordinal)
            : [];
        var port = values.TryGetValue("ssh_port", out var given) && given.ValueKind != JsonValueKind.Null ? Integer(given) : 22;
        if (port is null or < 1 or > ushort.MaxValue)
        {
            problems.Add("'ssh_port' must be a port.");
        }

        return new TofuOutputs
        {
            PublicIp = Text("public_ip", Address(), "an address or a host name"),
            InstanceId = Text("instance_id", Id(), "printable text"),
            SshUser = Text("ssh_user", User(), "the name of a user"),
            SshPort = port ?? 22,
            InitScript = values.TryGetValue("init_script", out var script) && script.ValueKind == JsonValueKind.String && script.GetString() is { Length: > 0 } init ? init : null,
            CopyFiles = [.. List("copy_files").Select(entry => new TofuFile(Member(entry, "source", "copy_files"), Member(entry, "destination", "copy_files")))],
            Proxies = [.. List("proxies").Select(Proxy)],
        };

        string Text(string name, Regex pattern, string expected)
        {
            if (!values.TryGetValue(name, out var value) || value.ValueKind != JsonValueKind.String)
            {
                problems.Add($"The output '{name}' is missing.");
                return "";
            }

            if (!pattern.IsMatch(value.GetString()!))
            {
                problems.Add($"'{name}' is '{Printable.Of(value.GetString()!)}'; it must be {expected}.");
            }

            return value.GetString()!;
        }

        List<JsonElement> List(string name)
        {
            if (!values.TryGetValue(name, out var value) || value.ValueKind == JsonValueKind.Null)
            {
                return [];
            }

            if (value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(entry => entry.ValueKind == JsonValueKind.Object))
            {
                return [.. value.EnumerateArray()];
            }

            problems.Add($"'{name}' must be a list of objects.");
            return [];
        }

        string Member(JsonElement entry, string name, string list)
        {
            if (entry.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text)
            {
                return text;
            }

            problems.Add($"An entry of '{list}' lacks '{name}'.");
            return "";
        }

        TofuProxy Proxy(JsonElement entry)
        {
            var name = Member(entry, "name", "proxies");
            var auth = entry.TryGetProperty("auth", out var kind) && kind.ValueKind == JsonValueKind.String ? kind.GetString()! : "none";
            if (auth is not ("none" or "gcp" or "api-key"))
            {
                problems.Add($"'auth' of the proxy '{Printable.Of(name)}' is '{Printable.Of(auth)}'; known are none, gcp and api-key.");
            }

            if (!ProxyName().IsMatch(name))
            {
                problems.Add($"A proxy is named '{Printable.Of(name)}'; it must be a-z, 0-9 and '-', beginning with a letter, at most 32.");
            }

            var port = entry.TryGetProperty("port", out var number) ? Integer(number) : 18080;
            if (port is null or < 1024 or > ushort.MaxValue)
            {
                problems.Add($"'port' of the proxy '{Printable.Of(name)}' must be from 1024 to 65535.");
            }

            var keyFile = entry.TryGetProperty("api_key_file", out var file) && file.ValueKind == JsonValueKind.String ? file.GetString() : null;
            if (auth == "api-key" && keyFile is null)
            {
                problems.Add($"The proxy '{Printable.Of(name)}' has no 'api_key_file'.");
            }

            var addresses = entry.TryGetProperty("addresses", out var list) && list.ValueKind != JsonValueKind.Null ? Texts(list) : [];
            if (addresses is null)
            {
                problems.Add($"'addresses' of the proxy '{Printable.Of(name)}' must be a list of texts.");
            }

            return new TofuProxy(name, Member(entry, "target", "proxies"), auth, keyFile, port ?? 18080) { Addresses = addresses ?? [] };
        }
    }

    private static int? Integer(JsonElement value) => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number : null;

    private static List<string>? Texts(JsonElement value) => value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(entry => entry.ValueKind == JsonValueKind.String)
        ? [.. value.EnumerateArray().Select(entry => entry.GetString()!)]
        : null;

    [GeneratedRegex(@"\A[A-Za-z0-9](?:[A-Za-z0-9.:-]{0,252}[A-Za-z0-9])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Address();

    [GeneratedRegex(@"\A[\x20-\x7e]{1,500}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Id();

    [GeneratedRegex(@"\A[a-z_][a-z0-9_.-]{0,31}\z", RegexOptions.CultureInvariant)]
    private static partial Regex User();

    [GeneratedRegex(@"\A[a-z][a-z0-9-]{0,31}\z", RegexOptions.CultureInvariant)]
    private static partial Regex ProxyName();
}

public sealed record TofuFile(string Source, string Destination);

/// <param name="Authorisation"><c>none</c>, <c>gcp</c> or <c>api-key</c>.</param>
public sealed record TofuProxy(string Name, string Target, string Authorisation, string? KeyFile, int Port)
{
    /// <summary>With port; the only ones that the target may lead to, private ones included.</summary>
    public IReadOnlyList<string> Addresses { get; init; } = [];
}
