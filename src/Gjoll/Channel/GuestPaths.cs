namespace Gjoll.Channel;

/// <summary>Fixed places inside every guest.</summary>
internal static class GuestPaths
{
    public const string Home = "/home/agent";
    public const string Workspace = "/work";
    public const string Endpoints = "/run/gjoll";
    public const string UserName = "agent";
    public const int UserId = 1000;
}
