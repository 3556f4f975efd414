using Drella.Core.Sandboxes;

namespace Drella.Core.PullRequests;

/// <summary>The repository inside a sandbox and the commands that the host gives there. Their answers are hostile data.</summary>
internal static class Workspace
{
    /// <summary>The guest's ref that a bundle carries out.</summary>
    public const string OutRef = "refs/heads/drella-out";

    /// <summary>The branch of a seed bundle, and of the guest where it arrives.</summary>
    public const string SeedBranch = "drella-base";

    public static string Folder(ISandbox sandbox) => sandbox.Workspace + "/repo";

    public static GuestCommand Git(ISandbox sandbox, params string[] arguments) => new()
    {
        Command = ["git", "-C", Folder(sandbox), .. arguments],
        Environment = Environment(sandbox),
        WorkingFolder = sandbox.Workspace,
    };

    /// <summary>A short script with values as arguments, never in its text.</summary>
    public static GuestCommand Script(ISandbox sandbox, string script, params string[] arguments) => new()
    {
        Command = ["sh", "-euc", script, "drella", .. arguments],
        Environment = Environment(sandbox),
        WorkingFolder = sandbox.Workspace,
    };

    private static Dictionary<string, string> Environment(ISandbox sandbox) => new()
    {
        ["HOME"] = sandbox.Home,
        ["PATH"] = "/usr/local/bin:/usr/bin:/bin",
        ["LANG"] = "C.UTF-8",
        ["GIT_TERMINAL_PROMPT"] = "0",
    };
}
