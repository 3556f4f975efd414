namespace Gjoll.Channel;

/// <summary>Fixed places inside every guest.</summary>
internal static class GuestPaths
{
    public const string Home = "/home/agent";
    public const string Workspace = "/work";
    public const string Endpoints = "/run/gjoll";
    public const string LinkSocket = "link.sock";
    public const string Key = "key";

    /// <summary>Where a guest that shares the host's programs finds the agent.</summary>
    public const string Agent = "/opt/.gjoll/gjoll-guest";
    public const string UserName = "agent";
    public const int UserId = 1000;

    public static IReadOnlyDictionary<string, string> AgentEnvironment { get; } = EnvironmentOf(UserName, Home);

    public static Dictionary<string, string> EnvironmentOf(string user, string home) => new(StringComparer.Ordinal)
    {
        ["HOME"] = home,
        ["USER"] = user,
        ["PATH"] = "/usr/local/bin:/usr/bin:/bin",
        ["LANG"] = "C.UTF-8",
    };
}
