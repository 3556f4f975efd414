using System.Net.Sockets;
using System.Text;
using Drella.Core.Jobs;
using Drella.Core.Sandboxes;

namespace Drella.Tests.Doctor;

/// <summary>Doors that give everybody the same answer, whoever asks for what: a gatehouse whose checks are broken.</summary>
internal sealed class OpenDoors(string folder, string status) : IGatehouse, IAsyncDisposable
{
    private readonly byte[] answer = Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
    private readonly CancellationTokenSource stop = new();
    private readonly List<Task> serving = [];

    public Task<Doors> OpenAsync(SandboxName sandbox, CancellationToken cancellationToken) => Task.FromResult(new Doors(Listen("m"), Listen("e"), Listen("t")));

    public string Admit(SandboxName sandbox, Assignment assignment, EgressPolicy egress, ModelPolicy model) => "the-pass-of-this-sandbox";

    public void Dismiss(SandboxName sandbox)
    {
    }

    public DateTimeOffset? LastModelActivity(SandboxName sandbox) => null;

    public Task CloseAsync(SandboxName sandbox, CancellationToken cancellationToken) => Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await Task.WhenAll(serving);
        stop.Dispose();
    }

    private string Listen(string name)
    {
        var path = Path.Combine(folder, name);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        socket.Listen();
        serving.Add(ServeAsync(socket));
        return path;
    }

    private async Task ServeAsync(Socket socket)
    {
        using (socket)
        {
            try
            {
                while (true)
                {
                    using var caller = await socket.AcceptAsync(stop.Token);
                    await caller.ReceiveAsync(new byte[4096], stop.Token);
                    await caller.SendAsync(answer, stop.Token);
                }
            }
            catch (OperationCanceledException)
            {
                // The test is over.
            }
        }
    }
}
