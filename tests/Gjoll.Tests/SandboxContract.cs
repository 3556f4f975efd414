using System.Text;

namespace Gjoll.Tests;

/// <summary>What every provider of sandboxes must do. A provider inherits it whole, and <see cref="LocalSandboxContract"/> when its guests are on this host.</summary>
public abstract partial class SandboxContract : IAsyncLifetime
{
    private readonly string _folder = TestHost.MakeFolder();

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    protected ISandboxProvider Provider { get; set; } = null!;

    /// <summary>The state folder of the provider under test.</summary>
    protected virtual string Folder => _folder;

    /// <summary>A provider over a state folder; called again to stand for a restarted host process.</summary>
    protected abstract ISandboxProvider MakeProvider(string stateFolder);

    /// <summary>What a sandbox is made from where a test wants nothing of its own.</summary>
    protected virtual SandboxSpec Spec() => Some.Spec();

    public virtual async ValueTask InitializeAsync()
    {
        Provider = MakeProvider(Folder);
        var report = await Provider.ProbeAsync(Cancel);
        Assert.True(report.Works, $"{report.Reason} Remedy: {report.Remedy}");
    }

    public virtual async ValueTask DisposeAsync()
    {
        using var bounded = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var report = await Provider.SweepAsync(_ => false, bounded.Token);
        await ReleaseAsync(Provider);
        await TestHost.RunAsync("rm", "-rf", _folder);
        GC.SuppressFinalize(this);
        Assert.Empty(report.Failures);
    }

    protected static async ValueTask ReleaseAsync(ISandboxProvider provider)
    {
        if (provider is IAsyncDisposable disposable)
        {
            await disposable.DisposeAsync();
        }
    }

    protected async Task<ISandbox> StartedAsync(SandboxSpec? spec = null)
    {
        var sandbox = await Provider.CreateAsync(spec ?? Spec(), Cancel);
        await sandbox.StartAsync(Cancel);
        return sandbox;
    }

    protected static Task<RunResult> ShellAsync(ISandbox sandbox, string script, params string[] arguments) =>
        sandbox.RunAsync(Some.Shell(script, arguments), Cancel);

    protected static async Task<string> OutputAsync(ISandbox sandbox, string script, params string[] arguments)
    {
        var result = await ShellAsync(sandbox, script, arguments);
        Assert.True(result.Exit.Succeeded, $"{result.Exit}: {result.ErrorText}");
        return result.OutputText;
    }

    protected static Stream Bytes(string text) => new MemoryStream(Encoding.UTF8.GetBytes(text));
}
