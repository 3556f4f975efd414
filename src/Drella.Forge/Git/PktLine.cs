using System.Globalization;
using System.Text;

namespace Drella.Forge.Git;

/// <summary>One ref that a push wants to move.</summary>
internal sealed record RefCommand(string Old, string New, string Name)
{
    public bool IsCreate => Old == GitNames.ZeroId;

    public bool IsDelete => New == GitNames.ZeroId;
}

/// <summary>The head of a receive-pack request: the commands, the capabilities, and the raw bytes to hand on to Git.</summary>
internal sealed record PushHead(IReadOnlyList<RefCommand> Commands, string Capabilities, byte[] Raw);

/// <summary>Git's packet lines, as far as the forge looks into them itself.</summary>
internal static class PktLine
{
    private const int MaxHead = 4 * 1024 * 1024;

    public static byte[] Encode(string text) =>
        [.. Encoding.ASCII.GetBytes((Encoding.UTF8.GetByteCount(text) + 4).ToString("x4", CultureInfo.InvariantCulture)), .. Encoding.UTF8.GetBytes(text)];

    /// <summary>Reads up to the flush packet; refuses what is malformed, oversized, or signed (no nonce is ever advertised).</summary>
    public static async Task<PushHead> ReadPushHeadAsync(Stream stream, CancellationToken cancellationToken)
    {
        using var raw = new MemoryStream();
        var commands = new List<RefCommand>();
        var capabilities = "";
        var prefix = new byte[4];
        while (true)
        {
            await stream.ReadExactlyAsync(prefix, cancellationToken);
            raw.Write(prefix);
            if (!int.TryParse(Encoding.ASCII.GetString(prefix), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var length)
                || (length != 0 && length < 4) || raw.Length > MaxHead)
            {
                throw new ForgeRefusal(400, "The push could not be read");
            }

            if (length == 0)
            {
                return new PushHead(commands, capabilities, raw.ToArray());
            }

            var line = new byte[length - 4];
            await stream.ReadExactlyAsync(line, cancellationToken);
            raw.Write(line);
            var text = Encoding.UTF8.GetString(line);
            var zero = text.IndexOf('\0', StringComparison.Ordinal);
            if (zero >= 0)
            {
                capabilities = text[(zero + 1)..].TrimEnd('\n');
                text = text[..zero];
            }

            if (Parse(text.TrimEnd('\n')) is { } command)
            {
                commands.Add(command);
            }
        }
    }

    /// <summary>The answer of a refused push, in the form the client asked for.</summary>
    public static byte[] Report(PushHead head, Func<RefCommand, string?> reason)
    {
        using var report = new MemoryStream();
        report.Write(Encode("unpack ok\n"));
        foreach (var command in head.Commands)
        {
            report.Write(Encode($"ng {command.Name} {reason(command) ?? "another ref of this push was refused"}\n"));
        }

        report.Write("0000"u8);
        if (!head.Capabilities.Contains("side-band-64k", StringComparison.Ordinal))
        {
            return report.ToArray();
        }

        var inner = report.ToArray();
        using var banded = new MemoryStream();
        foreach (var chunk in inner.Chunk(60_000))
        {
            banded.Write(Encoding.ASCII.GetBytes((chunk.Length + 5).ToString("x4", CultureInfo.InvariantCulture)));
            banded.WriteByte(1);
            banded.Write(chunk);
        }

        banded.Write("0000"u8);
        return banded.ToArray();
    }

    private static RefCommand? Parse(string line)
    {
        if (line.StartsWith("shallow ", StringComparison.Ordinal))
        {
            return null;
        }

        var parts = line.Split(' ', 3);
        return parts.Length == 3 && GitNames.IsObjectId(parts[0]) && GitNames.IsObjectId(parts[1])
            ? new RefCommand(parts[0], parts[1], parts[2])
            : throw new ForgeRefusal(400, "The push could not be read");
    }
}
