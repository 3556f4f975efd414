using Gjoll.Cli.Terminal;

namespace Gjoll.Cli.Work;

/// <summary>Paths of the guest as people type them: relative ones, and <c>~</c>, start at the home of its user.</summary>
internal static class GuestPath
{
    private const string Home = "/home/agent";

    public static string Of(string typed)
    {
        var path = typed switch
        {
            "" or "~" or "." => Home,
            _ when typed.StartsWith("~/", StringComparison.Ordinal) => $"{Home}/{typed[2..]}",
            _ when typed.StartsWith('/') => typed,
            _ => $"{Home}/{typed}",
        };
        return path.Contains('\0', StringComparison.Ordinal) ? throw new VerbFailure(ExitCode.Usage, "A path of the guest holds a NUL.") : path;
    }
}
