using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using Drella.Core.Forges;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Drella.Drivers.Tests.Git;

/// <summary>One bare repository over smart HTTP on loopback, behind a password.</summary>
internal sealed class LoopbackForge : IAsyncDisposable
{
    public const string Secret = "s3cr3t-of-the-forge-Qw7";
    private readonly WebApplication app;

    private LoopbackForge(WebApplication app, GuestGit bare)
    {
        this.app = app;
        Bare = bare;
    }

    public GuestGit Bare { get; }

    public string Address => app.Urls.Single();

    public GitAccess Access => new($"{Address}/acme/shop.git", "x-access-token", Secret);

    /// <summary>Called before each answer.</summary>
    public Func<HttpContext, bool>? Gate { get; set; }

    /// <summary>Command lines of the processes that were alive while a request waited.</summary>
    public List<string> CommandLines { get; } = [];

    public static async Task<LoopbackForge> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.WebHost.ConfigureKestrel(o => o.Limits.MaxRequestBodySize = null);
        var bare = new GuestGit();
        bare.Run("init", "-q", "--bare", "-b", "main");
        var forge = new LoopbackForge(builder.Build(), bare);
        forge.app.Run(forge.AnswerAsync);
        await forge.app.StartAsync(TestContext.Current.CancellationToken);
        return forge;
    }

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        Bare.Dispose();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc").Where(d => int.TryParse(Path.GetFileName(d), out _)))
        {
            try
            {
                CommandLines.Add((await File.ReadAllTextAsync(Path.Combine(folder, "cmdline"))).Replace('\0', ' '));
            }
            catch (IOException)
            {
                // Ended meanwhile.
            }
        }

        if (Gate?.Invoke(context) == false)
        {
            return;
        }

        var expected = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("x-access-token:" + Secret));
        if (context.Request.Headers.Authorization != expected)
        {
            context.Response.StatusCode = 401;
            context.Response.Headers.WWWAuthenticate = "Basic realm=\"forge\"";
            return;
        }

        var path = context.Request.Path.Value!;
        if (!path.StartsWith("/acme/shop.git/", StringComparison.Ordinal))
        {
            context.Response.StatusCode = 404;
            return;
        }

        var isAdvertisement = path.EndsWith("/info/refs", StringComparison.Ordinal);
        var service = isAdvertisement ? context.Request.Query["service"].ToString() : path[(path.LastIndexOf('/') + 1)..];
        context.Response.ContentType = $"application/x-{service}-{(isAdvertisement ? "advertisement" : "result")}";
        await ServeAsync(context, service["git-".Length..], isAdvertisement);
    }

    private async Task ServeAsync(HttpContext context, string service, bool isAdvertisement)
    {
        var start = new ProcessStartInfo("git", [service, "--stateless-rpc", .. isAdvertisement ? ["--advertise-refs"] : Array.Empty<string>(), Bare.Folder])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        if (isAdvertisement)
        {
            var line = $"# service=git-{service}\n";
            await context.Response.WriteAsync($"{line.Length + 4:x4}{line}0000");
        }

        var body = context.Request.Headers.ContentEncoding == "gzip" ? new GZipStream(context.Request.Body, CompressionMode.Decompress) : context.Request.Body;
        await body.CopyToAsync(process.StandardInput.BaseStream);
        process.StandardInput.Close();
        await process.StandardOutput.BaseStream.CopyToAsync(context.Response.Body);
        await process.WaitForExitAsync();
    }
}
