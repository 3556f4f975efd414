using Gjoll.Qemu;

namespace Gjoll.Tests.Qemu;

/// <summary>Machines under translation (TCG), which is slow: what only takes long is asked for in smaller numbers.</summary>
public sealed class QemuContractTests(Machines machines) : LocalSandboxContract, IClassFixture<Machines>
{
    protected override string Folder => machines.StateFolder;

    protected override bool SnapshotsWhileRunning => true;

    protected override string ChildProvider => ChildHost.WithQemu;

    protected override int SmallExecs => 100;

    protected override long StreamBytes => 64 << 20;

    protected override long LargeFile => 16 << 20;

    protected override SandboxSpec LargeSpec => Spec();

    public override ValueTask InitializeAsync()
    {
        // Probing boots a machine, which one test of its own does.
        Provider = MakeProvider(Folder);
        return ValueTask.CompletedTask;
    }

    protected override ISandboxProvider MakeProvider(string stateFolder) => Machines.Make(stateFolder);

    protected override string ControlSocket(SandboxName name) => Path.Combine(Folder, "sandboxes", name.Value, "warden", "control.sock");
}
