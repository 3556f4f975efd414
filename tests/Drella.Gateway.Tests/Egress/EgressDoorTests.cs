using Drella.Core.Sandboxes;
using Drella.Gateway.Egress;
using Gjoll.Egress;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drella.Gateway.Tests.Egress;

public sealed class EgressDoorTests
{
    private static readonly EgressDecision Opened = new("egress", "CONNECT ok.test:443", true, "allow ok.test");

    private readonly DoorAuditRecorder audit = new();

    [Fact]
    public async Task Decision_IsKeptUnderTheAssignmentThatWasAdmitted()
    {
        var admission = Admissions.Make(CancellationToken.None, "validator", "ok.test");

        await Door().RecordAsync(Admissions.Sandbox.Value, admission, Opened, TestContext.Current.CancellationToken);
        await Door().RecordAsync(Admissions.Sandbox.Value, null, Opened with { Allowed = false }, TestContext.Current.CancellationToken);

        Assert.Equal(
            [(Admissions.Sandbox, "validator", new DoorDecision("egress", Opened.Target, true, Opened.Rule)), (Admissions.Sandbox, null, new DoorDecision("egress", Opened.Target, false, Opened.Rule))],
            audit.Lines.Select(line => (line.Sandbox, line.Assignment?.Role, line.Decision)));
    }

    [Fact]
    public async Task Decision_ThatTheJobCannotKeepIsSaidToBeUnkept()
    {
        audit.IsBroken = true;

        await Assert.ThrowsAsync<IOException>(() => Door().RecordAsync(Admissions.Sandbox.Value, null, Opened, TestContext.Current.CancellationToken));
    }

    private EgressDoor Door() => new(new EgressOptions(), audit, TimeProvider.System, NullLoggerFactory.Instance);
}
