using System.Text.Json;
using System.Text.Json.Serialization;

namespace Gjoll.Warden;

/// <summary>The host sockets that a guest may reach, by number.</summary>
internal sealed class ForwardTable(string file)
{
    public const int MaxConnections = 256;

    private string[] _sockets = [];

    /// <summary>Null when there is no such forward.</summary>
    public string? Socket(int number) => number >= 0 && number < _sockets.Length ? _sockets[number] : null;

    /// <summary>Reads the file again. One that cannot be read changes nothing.</summary>
    public bool TryRefresh(out string problem)
    {
        problem = "";
        try
        {
            var sockets = JsonSerializer.Deserialize(File.ReadAllBytes(file), ForwardsJson.Default.StringArray) ?? [];
            if (sockets.FirstOrDefault(socket => !Path.IsPathFullyQualified(socket)) is { } relative)
            {
                problem = $"{file}: '{relative}' is not an absolute path";
                return false;
            }

            _sockets = sockets;
            return true;
        }
        catch (Exception broken) when (broken is IOException or UnauthorizedAccessException or JsonException)
        {
            problem = $"{file}: {broken.Message}";
            return false;
        }
    }
}

[JsonSerializable(typeof(string[]))]
internal sealed partial class ForwardsJson : JsonSerializerContext;
