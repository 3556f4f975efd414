using Gjoll.Egress;
using Gjoll.Egress.Proxies;
using Gjoll.Environments;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gjoll.Cli.Work;

/// <summary>The egress proxy and the named proxies of one sandbox, served by this process until disposed.</summary>
internal sealed class OpenDoors : IAsyncDisposable
{
    public const string JournalName = "egress.log";

    private const long JournalBytes = 16 << 20;

    private readonly EgressJournal _journal;
    private EgressHost? _egress;
    private HostProxies? _proxies;

    private OpenDoors(string journal, TimeProvider time) => _journal = new EgressJournal(journal, JournalBytes, time);

    /// <exception cref="GjollException">Something is wrong with them, all of it at once; or somebody else serves them.</exception>
    public static async Task<OpenDoors> OpenAsync(
        SandboxName name, SandboxEnvironment environment, string endpoints, string journal, TimeProvider time, CancellationToken cancellationToken)
    {
        var doors = new OpenDoors(journal, time);
        try
        {
            if (environment.Egress is { } egress)
            {
                doors._egress = EgressHost.Start(
                    new EgressHostOptions { Sandbox = name.Value, Socket = Path.Combine(endpoints, EgressSection.Socket), Policy = Policy(egress) },
                    doors._journal, time, NullLoggerFactory.Instance);
            }

            if (environment.Proxies.Count > 0)
            {
                doors._proxies = await HostProxies.StartAsync(
                    new HostProxiesOptions { Sandbox = name.Value, Folder = endpoints, Proxies = [.. environment.Proxies.Select(Definition)], Environment = Surroundings.Variable },
                    doors._journal, time, NullLoggerFactory.Instance, cancellationToken);
            }

            return doors;
        }
        catch (EgressFaultException faults)
        {
            await doors.DisposeAsync();
            throw new GjollException(faults.Message, isTransient: false, faults);
        }
        catch (IOException taken)
        {
            await doors.DisposeAsync();
            throw new GjollException($"The doors of {name} cannot be opened: {taken.Message}.", isTransient: false, taken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_proxies is not null)
        {
            await _proxies.DisposeAsync();
        }

        if (_egress is not null)
        {
            await _egress.DisposeAsync();
        }

        await _journal.DisposeAsync();
    }

    private static EgressPolicy Policy(EgressSection egress) => new()
    {
        AllowedHosts = egress.Allow,
        AllowedAddresses = [.. egress.Addresses.Select(pair => new AllowedAddress { Host = pair.Key, Address = pair.Value })],
    };

    private static ProxyDefinition Definition(ProxySection proxy) => new()
    {
        Name = proxy.Name,
        Target = proxy.Target,
        Port = proxy.Port,
        Allow = [.. proxy.Allow.Select(rule => new ProxyRule(rule.Methods, rule.Path))],
        Addresses = proxy.Addresses,
        AuthorityFile = proxy.AuthorityFile,
        Credential = proxy.Credential switch
        {
            CredentialSection.Header { IsRenewed: true } renewed => new ProxyCredential.Renewed(renewed.Name, renewed.File!, renewed.Prefix),
            CredentialSection.Header header => new ProxyCredential.Static(header.Name, header.Prefix) { File = header.File, Variable = header.Variable },
            CredentialSection.Google google => new ProxyCredential.GoogleAdc { File = google.File },
            CredentialSection.Aws aws => new ProxyCredential.AwsSigV4(aws.Service, aws.Region) { Profile = aws.Profile, File = aws.File },
            _ => new ProxyCredential.None(),
        },
    };
}
