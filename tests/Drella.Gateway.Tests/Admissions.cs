using Drella.Core.Jobs;
using Drella.Core.Sandboxes;
using Drella.Gateway.Doors;

namespace Drella.Gateway.Tests;

/// <summary>Admissions for tests of a single door.</summary>
internal static class Admissions
{
    public const string Token = "t0ken-of-this-sandbox";

    public static readonly SandboxName Sandbox = new("j0123456789ab-1");

    public static Admission Make(CancellationToken ended, string role = "producer", params string[] hosts) =>
        new(new Assignment(new JobId("j0123456789ab"), 1, 1, role), new EgressPolicy(hosts), new ModelPolicy(["m"], 1000), Token, ended);
}
