using System.Net.Http.Headers;
using System.Text.Json;
using Drella.Drivers.Forges.GitHub.Wire;

namespace Drella.Drivers.Forges.GitHub.Http;

/// <summary>A JSON request body in memory, so that it can be sent again.</summary>
internal static class JsonBody
{
    public static ByteArrayContent Of<T>(T body)
    {
        var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body, WireJson.Of<T>()));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json") { CharSet = "utf-8" };
        return content;
    }
}
