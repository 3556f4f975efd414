using System.Diagnostics;
using System.Runtime.CompilerServices;
using Gjoll.Bubblewrap;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gjoll.Tests;

/// <summary>A host process that can be killed: this assembly, started once more with a variable that tells it what to do instead of testing.</summary>
internal static class ChildHost
{
    private const string Variable = "GJOLL_TEST_CHILD";

    /// <summary>Makes a sandbox with something running in it, says so, and waits to be killed.</summary>
    public const string Hold = "hold";

    /// <summary>Makes, uses and destroys sandboxes until it is killed.</summary>
    public const string Churn = "churn";

    public static readonly SandboxName Name = new("orphan");

    public static Process Start(string mode, string folder)
    {
        var info = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
        {
            info.ArgumentList.Add(typeof(ChildHost).Assembly.Location);
        }

        info.Environment[Variable] = $"{mode}:{folder}";
        return Process.Start(info)!;
    }

#pragma warning disable CA2255 // It stands before the test runner's own entry point, which is generated.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Intercept()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { } order)
        {
            // A module initialiser holds back every other use of this assembly's types by other threads, so nothing here may leave this one.
            var parts = order.Split(':', 2);
            RunAsync(parts[0], parts[1]).GetAwaiter().GetResult();
            Environment.Exit(0);
        }
    }

    private static async Task RunAsync(string mode, string folder)
    {
        var provider = new BubblewrapProvider(new BubblewrapOptions { StateFolder = folder }, TimeProvider.System, NullLogger<BubblewrapProvider>.Instance);
        if (mode == Hold)
        {
            var sandbox = await provider.CreateAsync(new SandboxSpec { Name = Name, Forwards = [new Forward.Tcp(8001, "model.sock")] }, CancellationToken.None);
            await using var server = new EchoServer(Path.Combine((await sandbox.InspectAsync(CancellationToken.None)).EndpointFolder, "model.sock"), "child");
            await sandbox.StartAsync(CancellationToken.None);
            await sandbox.RunAsync(new ExecSpec { Command = ["/bin/sh", "-c", "echo left > /work/left"] }, CancellationToken.None);
            await using var process = await sandbox.ExecAsync(new ExecSpec { Command = ["sleep", "607"] }, CancellationToken.None);
            await Console.Out.WriteLineAsync("ready");
            await process.WaitAsync(CancellationToken.None);
            return;
        }

        await Console.Out.WriteLineAsync("ready");
        while (true)
        {
            var sandbox = await provider.CreateAsync(new SandboxSpec { Name = Name, Limits = new SandboxLimits { DiskBytes = 64 << 20 } }, CancellationToken.None);
            await sandbox.StartAsync(CancellationToken.None);
            await sandbox.RunAsync(new ExecSpec { Command = ["true"] }, CancellationToken.None);
            await provider.DestroyAsync(Name, CancellationToken.None);
        }
    }
}
