using System.Globalization;
using System.Text;

namespace Drella.Forge.Rendering;

/// <summary>Node ids: opaque to clients, <c>Kind:number</c> in base64 to us.</summary>
internal static class NodeIds
{
    public static string Of(string kind, long id) =>
        Convert.ToBase64String(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{kind}:{id}")));

    public static (string Kind, long Id)? Read(string? nodeId)
    {
        var buffer = new byte[128];
        if (nodeId is null || nodeId.Length > 120 || !Convert.TryFromBase64String(nodeId, buffer, out var length))
        {
            return null;
        }

        var parts = Encoding.ASCII.GetString(buffer, 0, length).Split(':');
        return parts.Length == 2 && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? (parts[0], id) : null;
    }
}
