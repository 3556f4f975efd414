namespace Gjoll.Tests.OpenTofu;

/// <summary>Machines behind SSH. What only takes long has been seen to work over a shorter way: it is asked for in smaller numbers.</summary>
public sealed class OpenTofuContractTests : SandboxContract
{
    protected override string ChildProvider => ChildHost.WithOpenTofu;

    protected override int SmallExecs => 100;

    protected override long StreamBytes => 32 << 20;

    protected override long LargeFile => 16 << 20;

    protected override SandboxSpec LargeSpec => Spec();

    // Made by whoever logs a user in.
    protected override string GuestSocket => "/run/user/1000/model.sock";

    protected override ISandboxProvider MakeProvider(string stateFolder) => ScriptedTofu.Make(stateFolder);

    protected override SandboxSpec Spec() => Some.Spec() with { Image = ScriptedTofu.WriteSource(Folder) };
}
