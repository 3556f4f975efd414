using System.Globalization;
using System.Text.RegularExpressions;
using Gjoll.Images;

namespace Gjoll.Environments;

/// <param name="Environment">Null when something is wrong.</param>
/// <param name="Errors">All that is wrong, in the order of lines.</param>
public sealed record EnvironmentReading(SandboxEnvironment? Environment, IReadOnlyList<DefinitionError> Errors);

/// <summary>Reads an environment strictly: what is not known is refused, and all errors are found in one reading. Touches the disk only to look whether named files exist.</summary>
public static partial class EnvironmentReader
{
    public const int MaxLength = 1 << 20;

    private const int SmallestPort = 1024;
    private const int LargestPort = 65535;

    private static readonly string[] Providers = ["auto", "qemu", "bubblewrap"];

    /// <param name="text">The file's content.</param>
    /// <param name="name">The file's name without its ending.</param>
    /// <param name="folder">What relative paths of the host are relative to.</param>
    public static EnvironmentReading Read(string text, string name, string folder)
    {
        var errors = new List<DefinitionError>();
        SandboxEnvironment? environment = null;
        if (text.Length > MaxLength)
        {
            errors.Add(new DefinitionError(1, $"The environment is longer than {MaxLength >> 20} MiB."));
        }
        else if (DefinitionText.Parse(text, "the environment", errors) is { } table)
        {
            environment = Read(table, name, folder);
        }

        errors.Sort((left, right) => left.Line.CompareTo(right.Line));
        return new EnvironmentReading(errors.Count == 0 ? environment : null, errors);
    }

    private static SandboxEnvironment Read(DefinitionTable table, string fileName, string folder)
    {
        if (table.Number("format", 1, int.MaxValue) is var format && table.Has("format") && format != SandboxEnvironment.CurrentFormat)
        {
            table.Fault(table.LineOf("format"), $"Format {format} is not known; this program reads format {SandboxEnvironment.CurrentFormat}.");
        }

        var name = table.Has("name") ? Matching(table, "name", Word(), WordMeaning) : fileName;
        var provider = OneOf(table, "provider", "auto", Providers);
        var image = table.OptionalText("image");
        if (image is { Length: > 0 })
        {
            CheckImage(table, image);
        }

        var ports = new PortUse();
        var egress = table.Table("egress") is { } section ? ReadEgress(section, ports) : null;
        var proxies = table.Tables("proxies").Select(proxy => ReadProxy(proxy, folder, ports)).ToList();
        foreach (var twice in proxies.GroupBy(proxy => proxy.Name).Where(group => group.Key.Length > 0 && group.Count() > 1))
        {
            table.Fault(table.LineOf("proxies"), $"Two proxies are named '{twice.Key}'.");
        }

        var read = new SandboxEnvironment
        {
            Name = name,
            Provider = provider == "auto" ? null : provider,
            Image = image,
            Limits = ReadLimits(table),
            Hostname = table.Has("hostname") ? Matching(table, "hostname", Host(), "letters, digits and '-', at most 63") : "sandbox",
            Warm = OneOf(table, "warm", "prefer", ["prefer", "demand", "never"]) switch
            {
                "demand" => WarmStart.Demand,
                "never" => WarmStart.Never,
                _ => WarmStart.Prefer,
            },
            Forkable = table.Flag("forkable"),
            Variables = ReadVariables(table),
            Files = [.. table.Tables("files").Select(file => ReadFile(file, folder))],
            Folders = [.. table.Tables("folders").Select(entry => ReadFolder(entry, folder))],
            Init = table.OptionalText("init"),
            Egress = egress,
            Proxies = proxies,
            Forwards = [.. table.Tables("forwards").Select(forward => ReadForward(forward, ports)).OfType<Forward>()],
            Ports = [.. table.Tables("ports").Select(ReadPort)],
        };
        table.Done();
        return read;
    }

    private static SandboxLimits ReadLimits(DefinitionTable table)
    {
        var standard = new SandboxLimits();
        var cpus = standard.Cpus;
        if (table.OptionalText("cpus") is { Length: > 0 } text
            && !(double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out cpus) && cpus is >= 0.05 and <= 4096))
        {
            table.Fault(table.LineOf("cpus"), $"'cpus' is '{text}'; it must be a number from 0.05 to 4096 such as 2.");
            cpus = standard.Cpus;
        }

        return new SandboxLimits
        {
            Cpus = cpus,
            MemoryBytes = Size(table, "memory", standard.MemoryBytes),
            DiskBytes = Size(table, "disk", standard.DiskBytes),
            MaxProcesses = table.Has("processes") ? table.Number("processes", 16, 1 << 22) : standard.MaxProcesses,
            Lifetime = Time(table, "lifetime", standard.Lifetime),
        };
    }

    private static IReadOnlyDictionary<string, string> ReadVariables(DefinitionTable table)
    {
        var variables = table.Pairs("variables");
        foreach (var name in variables.Keys.Where(name => !Variable().IsMatch(name)))
        {
            table.Fault(table.LineOf("variables"), $"'{name}' is not a name of an environment variable.");
        }

        return variables;
    }

    private static EnvironmentFile ReadFile(DefinitionTable table, string folder)
    {
        var path = GuestPath(table, "path", null);
        var content = table.Has("content") ? table.OptionalText("content") : null;
        var from = HostPath(table, "from", folder);
        if ((content is null) == (from is null))
        {
            table.Fault(table.Line, $"The file {path} needs exactly one of 'content' and 'from'.");
        }

        CheckFile(table, "from", from);

        var mode = OneOf(table, "mode", "readable", ["private", "readable", "executable"]);
        table.Done();
        return new EnvironmentFile(path, content, from, mode switch
        {
            "private" => GuestFileMode.Private,
            "executable" => GuestFileMode.Executable,
            _ => GuestFileMode.Readable,
        });
    }

    private static ReadOnlyFolder ReadFolder(DefinitionTable table, string folder)
    {
        table.Text("host");
        var host = HostPath(table, "host", folder) ?? "/";
        if (!Directory.Exists(host))
        {
            table.Fault(table.LineOf("host"), $"There is no folder {host}.");
        }

        var guest = GuestPath(table, "guest", MountPlace());
        table.Done();
        return new ReadOnlyFolder(host, guest);
    }

    private static EgressSection ReadEgress(DefinitionTable table, PortUse ports)
    {
        var port = table.Has("port") ? table.Number("port", SmallestPort, LargestPort) : EgressSection.DefaultPort;
        ports.Take(table, "port", port);
        var allow = table.Texts("allow", required: true);
        foreach (var pattern in allow.Where(pattern => pattern.Length > 0 && !HostPattern().IsMatch(pattern)))
        {
            table.Fault(table.LineOf("allow"), $"'{pattern}' in 'allow' must be a lower-case host name, or '*.' and one of two labels or more.");
        }

        var addresses = table.Pairs("addresses");
        foreach (var (host, address) in addresses)
        {
            if (!IsAddress(address))
            {
                table.Fault(table.LineOf("addresses"), $"'{host}: {address}' must name an address with a port such as 10.0.0.7:443.");
            }
        }

        table.Done();
        return new EgressSection(port, allow, addresses);
    }

    private static ProxySection ReadProxy(DefinitionTable table, string folder, PortUse ports)
    {
        var name = Matching(table, "name", ProxyName(), "a-z, 0-9 and '-', beginning with a letter, at most 32");
        if (name == "egress")
        {
            table.Fault(table.LineOf("name"), "The name 'egress' is that of the egress proxy.");
        }

        var port = table.Number("port", SmallestPort, LargestPort);
        ports.Take(table, "port", port);
        var target = table.Text("target");
        if (target.Length > 0 && !IsTarget(target))
        {
            table.Fault(table.LineOf("target"), $"'target' is '{target}'; it must be https://HOST[:PORT][/PATH], or the same with http, without user, query and fragment.");
        }

        var allow = table.Tables("allow").Select(ReadAllowance).ToList();
        if (!table.Has("allow"))
        {
            table.Fault(table.Line, $"The proxy '{name}' lacks the key 'allow'; without it nothing could be asked for.");
        }

        var authority = HostPath(table, "authority_file", folder);
        CheckFile(table, "authority_file", authority);
        var addresses = table.Texts("addresses");
        foreach (var address in addresses.Where(address => address.Length > 0 && !IsAddress(address)))
        {
            table.Fault(table.LineOf("addresses"), $"'{address}' in 'addresses' must be an address with a port such as 10.0.0.7:443.");
        }

        var proxy = new ProxySection
        {
            Name = name,
            Port = port,
            Target = target,
            Allow = allow,
            Credential = table.Table("credential") is { } credential ? ReadCredential(credential, folder) : new CredentialSection.None(),
            Addresses = addresses,
            AuthorityFile = authority,
        };
        table.Done();
        return proxy;
    }

    private static ProxyAllowance ReadAllowance(DefinitionTable table)
    {
        var methods = table.Texts("methods", required: true);
        foreach (var method in methods.Where(method => method.Length > 0 && !Method().IsMatch(method)))
        {
            table.Fault(table.LineOf("methods"), $"'{method}' in 'methods' must be a method of HTTP in capitals.");
        }

        var path = Matching(table, "path", AllowedPath(), "a path that begins with '/'");
        table.Done();
        return new ProxyAllowance(methods, path);
    }

    private static CredentialSection ReadCredential(DefinitionTable table, string folder)
    {
        var kind = OneOf(table, "kind", "header", ["header", "renewed", "google", "aws"]);
        CredentialSection read;
        switch (kind)
        {
            case "google":
                var google = HostPath(table, "credential_file", folder);
                CheckFile(table, "credential_file", google);
                read = new CredentialSection.Google(google);
                break;
            case "aws":
                var aws = HostPath(table, "credential_file", folder);
                CheckFile(table, "credential_file", aws);
                read = new CredentialSection.Aws(
                    Matching(table, "service", Word(), WordMeaning), Matching(table, "region", Word(), WordMeaning), table.OptionalText("profile"), aws);
                break;
            default:
                var file = HostPath(table, "value_file", folder);
                CheckFile(table, "value_file", file);
                var variable = table.Has("value_env") && kind == "header" ? Matching(table, "value_env", Variable(), "a name of an environment variable") : null;
                if ((file is null) == (variable is null))
                {
                    table.Fault(table.Line, kind == "header" ? "The credential needs exactly one of 'value_file' and 'value_env'." : "The credential needs a 'value_file'.");
                }

                read = new CredentialSection.Header(Matching(table, "header", Header(), "the name of a header"), table.Text("prefix", ""), file, variable, kind == "renewed");
                break;
        }

        table.Done();
        return read;
    }

    private static void CheckFile(DefinitionTable table, string key, string? path)
    {
        if (path is not null && !File.Exists(path))
        {
            table.Fault(table.LineOf(key), $"There is no file {path}.");
        }
    }

    private static bool IsTarget(string text) => Uri.TryCreate(text, UriKind.Absolute, out var target)
        && (target.Scheme == Uri.UriSchemeHttps || target.Scheme == Uri.UriSchemeHttp)
        && target.UserInfo.Length == 0 && target.Query.Length == 0 && target.Fragment.Length == 0;

    private static bool IsAddress(string text) => System.Net.IPEndPoint.TryParse(text, out var place) && place.Port != 0;

    private static Forward? ReadForward(DefinitionTable table, PortUse ports)
    {
        var host = table.Text("host");
        if (host.Length > 0 && !AbsolutePath().IsMatch(host))
        {
            table.Fault(table.LineOf("host"), $"'host' is '{host}'; it must be the absolute path of a unix socket.");
        }

        var guest = table.Text("guest");
        table.Done();
        if (guest.StartsWith('/'))
        {
            if (!SocketPlace().IsMatch(guest))
            {
                table.Fault(table.LineOf("guest"), $"'guest' is '{guest}'; a socket of the guest must lie under /run/, and not under /run/gjoll.");
                return null;
            }

            ports.Take(table, "guest", guest);
            return new Forward.Unix(guest, host);
        }

        if (int.TryParse(guest, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is >= SmallestPort and <= LargestPort)
        {
            ports.Take(table, "guest", port);
            return new Forward.Tcp(port, host);
        }

        if (guest.Length > 0)
        {
            table.Fault(table.LineOf("guest"), $"'guest' is '{guest}'; it must be a port from {SmallestPort} to {LargestPort} or a path under /run/.");
        }

        return null;
    }

    private static PortSection ReadPort(DefinitionTable table)
    {
        var port = new PortSection(table.Number("host", 1, LargestPort), table.Number("guest", 1, LargestPort));
        table.Done();
        return port;
    }

    private static void CheckImage(DefinitionTable table, string image)
    {
        try
        {
            ImageReference.Parse(image);
        }
        catch (GjollException wrong)
        {
            table.Fault(table.LineOf("image"), wrong.Message);
        }
    }

    private static long Size(DefinitionTable table, string key, long standard)
    {
        var text = table.OptionalText(key);
        if (text is null)
        {
            return standard;
        }

        if (SizeText().Match(text) is { Success: true } match)
        {
            var bytes = long.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) << (match.Groups[2].Value == "GiB" ? 30 : 20);
            if (bytes is >= 16L << 20 and <= 1L << 46)
            {
                return bytes;
            }
        }

        if (text.Length > 0)
        {
            table.Fault(table.LineOf(key), $"'{key}' is '{text}'; it must be a size from 16MiB such as 4GiB.");
        }

        return standard;
    }

    private static TimeSpan Time(DefinitionTable table, string key, TimeSpan standard)
    {
        var text = table.OptionalText(key);
        if (text is null)
        {
            return standard;
        }

        if (TimeText().Match(text) is { Success: true } match)
        {
            var number = int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
            var time = match.Groups[2].Value switch { "s" => TimeSpan.FromSeconds(number), "m" => TimeSpan.FromMinutes(number), "h" => TimeSpan.FromHours(number), _ => TimeSpan.FromDays(number) };
            if (time > TimeSpan.Zero && time <= TimeSpan.FromDays(3660))
            {
                return time;
            }
        }

        if (text.Length > 0)
        {
            table.Fault(table.LineOf(key), $"'{key}' is '{text}'; it must be a time such as 90s, 30m, 24h or 7d.");
        }

        return standard;
    }

    private static string OneOf(DefinitionTable table, string key, string standard, IReadOnlyList<string> known)
    {
        var text = table.Text(key, standard);
        if (text.Length > 0 && !known.Contains(text))
        {
            table.Fault(table.LineOf(key), $"'{key}' is '{text}'; {Suggestion.For(text, known)}.");
        }

        return known.Contains(text) ? text : standard;
    }

    private static string GuestPath(DefinitionTable table, string key, Regex? place)
    {
        var path = Matching(table, key, AbsolutePath(), "an absolute path without '.', '..' and odd characters");
        if (place is not null && AbsolutePath().IsMatch(path) && !place.IsMatch(path))
        {
            table.Fault(table.LineOf(key), $"'{key}' is '{path}'; it must lie under /opt/, /srv/ or /mnt/.");
        }

        return path;
    }

    /// <summary>Null when the key is absent. <c>~</c> is the home of whoever runs this.</summary>
    private static string? HostPath(DefinitionTable table, string key, string folder)
    {
        if (!table.Has(key) || table.OptionalText(key) is not { Length: > 0 } text)
        {
            return null;
        }

        var path = text.StartsWith("~/", StringComparison.Ordinal)
            ? Path.Combine(System.Environment.GetFolderPath(System.Environment.SpecialFolder.UserProfile), text[2..])
            : text;
        return Path.GetFullPath(Path.Combine(folder, path));
    }

    private static string Matching(DefinitionTable table, string key, Regex pattern, string expected)
    {
        var text = table.Text(key);
        if (text.Length > 0 && !pattern.IsMatch(text))
        {
            table.Fault(table.LineOf(key), $"'{key}' is '{text}'; it must be {expected}.");
        }

        return text;
    }

    private const string WordMeaning = "lower-case letters, digits and '-', at most 40";

    [GeneratedRegex(@"\A[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?\z")]
    private static partial Regex Word();

    [GeneratedRegex(@"\A[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\z")]
    private static partial Regex Host();

    [GeneratedRegex(@"\A(\*\.[a-z0-9-]+(\.[a-z0-9-]+)+|[a-z0-9-]+(\.[a-z0-9-]+)*)\z")]
    private static partial Regex HostPattern();

    [GeneratedRegex(@"\A[A-Za-z_][A-Za-z0-9_]*\z")]
    private static partial Regex Variable();

    [GeneratedRegex(@"\A[A-Za-z0-9-]{1,64}\z")]
    private static partial Regex Header();

    [GeneratedRegex(@"\A[a-z][a-z0-9-]{0,31}\z")]
    private static partial Regex ProxyName();

    [GeneratedRegex(@"\A[A-Z]{1,20}\z")]
    private static partial Regex Method();

    [GeneratedRegex(@"\A/[\x21-\x7e]{0,500}\z")]
    private static partial Regex AllowedPath();

    [GeneratedRegex(@"\A(/(?!\.{1,2}(/|\z))[A-Za-z0-9._@+-]+)+\z")]
    private static partial Regex AbsolutePath();

    [GeneratedRegex(@"\A/(opt|srv|mnt)/")]
    private static partial Regex MountPlace();

    [GeneratedRegex(@"\A/run(?!/gjoll(/|\z))(/(?!\.{1,2}(/|\z))[A-Za-z0-9._@+-]+)+\z")]
    private static partial Regex SocketPlace();

    [GeneratedRegex(@"\A([0-9]{1,7})(MiB|GiB)\z")]
    private static partial Regex SizeText();

    [GeneratedRegex(@"\A([0-9]{1,6})(s|m|h|d)\z")]
    private static partial Regex TimeText();

    /// <summary>Who listens where in the guest.</summary>
    private sealed class PortUse
    {
        private readonly HashSet<string> _taken = new(StringComparer.Ordinal);

        public void Take(DefinitionTable table, string key, int port) => Take(table, key, port.ToString(CultureInfo.InvariantCulture));

        public void Take(DefinitionTable table, string key, string place)
        {
            if (!_taken.Add(place))
            {
                table.Fault(table.LineOf(key), $"{place} of the guest is used twice.");
            }
        }
    }
}
