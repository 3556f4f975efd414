using Drella.Forge.Rendering;
using Microsoft.AspNetCore.Http;

namespace Drella.Forge;

/// <summary>Under which address the forge speaks: the configured one, else what the client used, else where it listens.</summary>
internal sealed class ForgeAddress(string? publicUrl)
{
    private string _listening = publicUrl ?? "http://localhost";

    public Urls Urls => Of(publicUrl ?? _listening);

    public void ListensAt(Uri url) => _listening = url.ToString().TrimEnd('/');

    public Urls For(HttpRequest request)
    {
        if (publicUrl is not null || !request.Host.HasValue)
        {
            return Urls;
        }

        var host = request.Host.ToUriComponent();
        return host.StartsWith("api.", StringComparison.OrdinalIgnoreCase)
            ? new Urls($"{request.Scheme}://{host["api.".Length..]}", $"{request.Scheme}://{host}")
            : Of($"{request.Scheme}://{host}");
    }

    private static Urls Of(string web) => new(web.TrimEnd('/'), web.TrimEnd('/') + "/api/v3");
}
