using System.Collections.Concurrent;

namespace Gjoll.Channel;

/// <summary>Those of one provider, shared by all handles of this process: one connection for each sandbox. Disposing ends all of them.</summary>
internal sealed class GuestChannels(TimeProvider time) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<SandboxName, GuestChannel> _channels = new();

    public GuestChannel Of(SandboxName name, Func<SandboxName, IWardenHost> host) =>
        _channels.GetOrAdd(name, static (name, made) => new GuestChannel(made.host(name), made.time), (host, time));

    public async Task DisconnectAsync(SandboxName name)
    {
        if (_channels.TryRemove(name, out var channel))
        {
            await channel.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var name in _channels.Keys)
        {
            await DisconnectAsync(name);
        }
    }
}
