using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Gjoll.Egress.Serving;

/// <summary>A bare Kestrel, without host, container or middleware: cheap enough to have one per sandbox. Speaks HTTP/1 only.</summary>
public sealed class BareServer : IAsyncDisposable
{
    private readonly KestrelServer server;
    private readonly ServiceProvider services = new ServiceCollection().AddLogging().BuildServiceProvider();

    public BareServer(Action<KestrelServerOptions, Action<ListenOptions, RequestDelegate>> listen, ILoggerFactory loggers)
    {
        var options = new KestrelServerOptions { ApplicationServices = services, AddServerHeader = false };
        listen(options, Route);
        server = new KestrelServer(
            Options.Create(options), new SocketTransportFactory(Options.Create(new SocketTransportOptions()), loggers), loggers);
    }

    public IFeatureCollection Features => server.Features;

    public Task StartAsync(CancellationToken cancellationToken) => server.StartAsync(new Application(), cancellationToken);

    public async ValueTask DisposeAsync()
    {
        // No grace: whoever still talks is cut.
        await server.StopAsync(new CancellationToken(canceled: true));
        server.Dispose();
        await services.DisposeAsync();
    }

    private static void Route(ListenOptions listen, RequestDelegate handler)
    {
        listen.Protocols = HttpProtocols.Http1;
        ((IConnectionBuilder)listen).Use(next => connection =>
        {
            connection.Features.Set(new Handler(handler));
            return next(connection);
        });
    }

    private sealed record Handler(RequestDelegate Handle);

    private sealed class Application : IHttpApplication<HttpContext>
    {
        public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

        public Task ProcessRequestAsync(HttpContext context) => context.Features.GetRequiredFeature<Handler>().Handle(context);

        public void DisposeContext(HttpContext context, Exception? exception)
        {
        }
    }
}
