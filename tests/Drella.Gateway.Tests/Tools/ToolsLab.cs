using System.Net;
using System.Net.Sockets;
using System.Text;
using Drella.Core.Jobs;
using Drella.Core.Sandboxes;
using Drella.Core.Tools;
using Drella.Gateway.Doors;
using Drella.Gateway.Tools;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ModelContextProtocol.Client;

namespace Drella.Gateway.Tests.Tools;

/// <summary>The tool door behind a real Kestrel on loopback, with a desk that does as it is told.</summary>
internal sealed class ToolsLab : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly CancellationTokenSource ended = new();

    private ToolsLab(Action<ToolsOptions> configure)
    {
        Admission = Admissions.Make(ended.Token);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options => options.Listen(IPAddress.Loopback, 0));
        var options = new ToolsOptions();
        configure(options);
        var wrapped = Microsoft.Extensions.Options.Options.Create(options);
        var door = new ToolsDoor(
            new ToolServer(Desk, Audit, wrapped, NullLogger<ToolServer>.Instance), Audit, wrapped, TimeProvider.System, NullLoggerFactory.Instance);
        app = builder.Build();
        app.Run(context => door.HandleAsync(context, Admissions.Sandbox, () => Admission));
    }

    public DeskOnPaper Desk { get; } = new();

    public DoorAuditRecorder Audit { get; } = new();

    public Admission? Admission { get; set; }

    public Uri Address { get; private set; } = null!;

    public static async Task<ToolsLab> StartAsync(Action<ToolsOptions>? configure = null)
    {
        var lab = new ToolsLab(configure ?? (_ => { }));
        await lab.app.StartAsync(TestContext.Current.CancellationToken);
        lab.Address = new Uri(lab.app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        return lab;
    }

    public void End() => ended.Cancel();

    public Task<McpClient> ConnectAsync() => McpClient.CreateAsync(
        new HttpClientTransport(new HttpClientTransportOptions
        {
            Endpoint = new Uri(Address, "/mcp"),
            TransportMode = HttpTransportMode.StreamableHttp,
            AdditionalHeaders = new Dictionary<string, string> { ["Authorization"] = "Bearer " + Admissions.Token },
        }),
        cancellationToken: TestContext.Current.CancellationToken);

    /// <summary>Posts a message with the right head and token.</summary>
    public Task<(int Status, string Text)> PostAsync(string body) => PostAsync(Encoding.UTF8.GetBytes(body));

    public Task<(int Status, string Text)> PostAsync(byte[] body) => SendAsync(
        $"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {Admissions.Token}\r\nContent-Type: application/json\r\n"
        + $"Accept: application/json, text/event-stream\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n",
        body);

    /// <summary>Sends bytes as they are and reads the answer to its end.</summary>
    public async Task<(int Status, string Text)> SendAsync(string head, byte[]? body = null)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, Address.Port, TestContext.Current.CancellationToken);
        await using var stream = new NetworkStream(socket);
        var text = new MemoryStream();
        try
        {
            await stream.WriteAsync(Encoding.Latin1.GetBytes(head), TestContext.Current.CancellationToken);
            await stream.WriteAsync(body ?? [], TestContext.Current.CancellationToken);
        }
        catch (IOException)
        {
            // Refused before all of it was taken; the answer is still there to read.
        }

        try
        {
            await stream.CopyToAsync(text, TestContext.Current.CancellationToken);
        }
        catch (IOException)
        {
            // Reset after the answer.
        }

        var answer = Encoding.UTF8.GetString(text.ToArray());
        return (answer.Length == 0 ? 0 : int.Parse(answer.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture), answer);
    }

    public async ValueTask DisposeAsync()
    {
        await ended.CancelAsync();
        await app.DisposeAsync();
        ended.Dispose();
    }
}

/// <summary>Grants by role, writes every call down, and answers as the test says.</summary>
internal sealed class DeskOnPaper : IToolDesk
{
    private readonly Lock gate = new();
    private readonly List<ToolCall> calls = [];

    public Func<ToolCall, CancellationToken, Task<ToolAnswer>> Answer { get; set; } = (call, _) => Task.FromResult(ToolAnswer.Ok("done " + call.Tool));

    public IReadOnlyList<ToolCall> Calls
    {
        get
        {
            lock (gate)
            {
                return [.. calls];
            }
        }
    }

    public IReadOnlyList<ToolDefinition> ToolsFor(Assignment assignment) => assignment.Role == "validator"
        ? [ToolCatalogue.Find(ToolCatalogue.GetPr)!, ToolCatalogue.Find(ToolCatalogue.SubmitVerdict)!]
        : [.. ToolCatalogue.All.Where(tool => tool.Name != ToolCatalogue.SubmitVerdict)];

    public Task<ToolAnswer> CallAsync(Assignment assignment, ToolCall call, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            calls.Add(call with { Arguments = call.Arguments.Clone() });
        }

        return Answer(call, cancellationToken);
    }
}
