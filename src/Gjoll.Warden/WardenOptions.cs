namespace Gjoll.Warden;

/// <summary>What the command line says: paths only, since everybody on the host can read it.</summary>
internal sealed record WardenOptions
{
    public const string Usage = "usage: gjoll-warden --control SOCKET --key FILE --forwards FILE (--link-connect SOCKET | --link-listen SOCKET | --link-command FILE)";

    /// <summary>Where clients connect; made anew.</summary>
    public required string Control { get; init; }

    /// <summary>Holds the sandbox's key, 32 bytes; while it is being changed a file of this name and <c>.next</c> holds the coming one.</summary>
    public required string Key { get; init; }

    /// <summary>A JSON list of absolute paths: the host socket of each forward, by its number.</summary>
    public required string Forwards { get; init; }

    /// <summary>A socket on which the machine monitor listens for the guest.</summary>
    public string? LinkConnect { get; init; }

    /// <summary>A socket to listen on, for a guest that connects; made anew.</summary>
    public string? LinkListen { get; init; }

    /// <summary>A JSON list: the program whose standard streams are the link, and its arguments. Started again when it ends.</summary>
    public string? LinkCommand { get; init; }

    /// <summary>Null when the arguments are not those of <see cref="Usage"/>.</summary>
    public static WardenOptions? Parse(IReadOnlyList<string> arguments)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var index = 0; index + 1 < arguments.Count; index += 2)
        {
            values[arguments[index]] = arguments[index + 1];
        }

        string[] known = ["--control", "--key", "--forwards", "--link-connect", "--link-listen", "--link-command"];
        return values.Count * 2 == arguments.Count && values.Keys.All(known.Contains)
            && values.Keys.Count(key => key.StartsWith("--link-", StringComparison.Ordinal)) == 1
            && values.TryGetValue("--control", out var control) && values.TryGetValue("--key", out var key) && values.TryGetValue("--forwards", out var forwards)
            ? new WardenOptions
            {
                Control = control,
                Key = key,
                Forwards = forwards,
                LinkConnect = values.GetValueOrDefault("--link-connect"),
                LinkListen = values.GetValueOrDefault("--link-listen"),
                LinkCommand = values.GetValueOrDefault("--link-command"),
            }
            : null;
    }
}
