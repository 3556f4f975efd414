namespace Gjoll.Tests;

internal static class Some
{
    private static int _count;

    public static SandboxName Name() => new($"box-{Interlocked.Increment(ref _count)}");

    public static SandboxSpec Spec() => new()
    {
        Name = Name(),
        Labels = new Dictionary<string, string> { ["job"] = "7" },
        Limits = new SandboxLimits { MemoryBytes = 512 << 20, DiskBytes = 256 << 20, MaxProcesses = 200, Lifetime = TimeSpan.FromMinutes(10) },
    };

    public static ExecSpec Shell(string script, params string[] arguments) =>
        new() { Command = ["/bin/sh", "-c", script, "sh", .. arguments], Timeout = TimeSpan.FromMinutes(1) };
}
