using System.Net;
using Drella.Core.Jobs;
using Drella.Gateway.Models;
using Gjoll.Egress.Serving;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Drella.Gateway.Tapes;

/// <summary>A tape on a loopback port, for an agent that runs without the factory.</summary>
public sealed class TapeHost : IAsyncDisposable
{
    private readonly BareServer host;

    private TapeHost(BareServer host, Uri address) => (this.host, Address) = (host, address);

    /// <summary>The agent's base address.</summary>
    public Uri Address { get; }

    /// <summary>Listens; port 0 lets the kernel choose. Every caller is taken for <paramref name="assignment"/>.</summary>
    public static async Task<TapeHost> StartAsync(
        IModelUpstream model, Assignment assignment, int port, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var host = new BareServer(
            (kestrel, route) => kestrel.Listen(IPAddress.Loopback, port, at => route(at, context => AnswerAsync(context, model, assignment))), loggers);
        await host.StartAsync(cancellationToken);
        return new TapeHost(host, new Uri(host.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First()));
    }

    public ValueTask DisposeAsync() => host.DisposeAsync();

    private static async Task AnswerAsync(HttpContext context, IModelUpstream model, Assignment assignment)
    {
        try
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            var call = new UpstreamCall(assignment, context.Request.Path + context.Request.QueryString.Value, [], body.ToArray())
            {
                Subagent = context.Request.Headers["x-claude-code-agent-id"].ToString() is { Length: > 0 } agent ? agent : null,
            };
            using var answer = await model.SendAsync(call, context.RequestAborted);
            var passage = new Passage();
            passage.Begin(answer);
            await AnswerPump.PassAsync(answer, [], context.Response, passage, () => { }, context.RequestAborted);
        }
        catch (Exception cut) when (cut is OperationCanceledException or IOException)
        {
            context.Abort();
        }
    }
}
