namespace Gjoll.OpenTofu;

/// <summary>Where and how the OpenTofu provider works.</summary>
public sealed class OpenTofuOptions
{
    /// <summary>Absolute folder for records, keys and the states of <c>tofu</c>. One provider kind per folder; any number of processes may share it.</summary>
    public required string StateFolder { get; set; }

    /// <summary>What <c>tofu</c> gets as its environment: the credentials of the cloud are there. No other program gets it.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; set; } = new Dictionary<string, string>();

    /// <summary>The program, looked up in the host's usual folders, or an absolute path.</summary>
    public string Program { get; set; } = "tofu";

    /// <summary>Where the guest agent and the warden lie; null looks beside the app and in GJOLL_NATIVE.</summary>
    public string? NativeFolder { get; set; }

    /// <summary>One run of <c>tofu</c>.</summary>
    public TimeSpan ApplyTimeout { get; set; } = TimeSpan.FromHours(1);

    /// <summary>From the end of the apply to the first answer over SSH.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromMinutes(5);

    public TimeSpan ConnectPoll { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>What <c>tofu</c> says while it works, a line each.</summary>
    public Action<string>? Progress { get; set; }
}
