using System.Text.Json;
using System.Text.Unicode;

namespace Drella.Gateway.Tools;

/// <summary>A JSON-RPC error: its code, and a message that holds nothing of ours.</summary>
internal sealed record RpcFault(int Code, string Message)
{
    public static RpcFault Parse(string message) => new(-32700, message);

    public static RpcFault Invalid(string message) => new(-32600, message);
}

/// <summary>
/// Reads one JSON-RPC message in the strictest way, before any library sees it: valid UTF-8, bounded depth and size, no name twice, no lone
/// surrogates, an id that every reader understands alike, and no batches.
/// </summary>
internal static class RpcGuard
{
    public const int MaxDepth = 32;
    private const int MaxElements = 20_000;
    private const int MaxName = 200;
    private const int MaxId = 128;
    private const int MaxMethod = 100;
    private const long MaxSafeInteger = (1L << 53) - 1;

    private static readonly JsonDocumentOptions Strict = new()
    {
        MaxDepth = MaxDepth,
        AllowDuplicateProperties = false,
        AllowTrailingCommas = false,
        CommentHandling = JsonCommentHandling.Disallow,
    };

    /// <summary>The message, to be disposed by the caller; or null and what is wrong with it.</summary>
    public static JsonDocument? Read(ReadOnlyMemory<byte> body, out RpcFault? fault)
    {
        fault = null;
        if (!Utf8.IsValid(body.Span))
        {
            fault = RpcFault.Parse("not valid UTF-8");
            return null;
        }

        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(body, Strict);
        }
        catch (JsonException)
        {
            fault = RpcFault.Parse($"not valid JSON, nested deeper than {MaxDepth}, or a name given twice");
            return null;
        }
        catch (InvalidOperationException)
        {
            // A name such as "\ud800", met while looking for doubles.
            fault = RpcFault.Parse("a name that is not valid Unicode");
            return null;
        }

        fault = Judge(document.RootElement);
        if (fault is null)
        {
            return document;
        }

        document.Dispose();
        return null;
    }

    private static RpcFault? Judge(JsonElement root)
    {
        if (root.ValueKind == JsonValueKind.Array)
        {
            return RpcFault.Invalid("batches are not supported");
        }

        if (root.ValueKind != JsonValueKind.Object)
        {
            return RpcFault.Invalid("a message is an object");
        }

        var budget = MaxElements;
        if (!IsSound(root, ref budget))
        {
            return RpcFault.Invalid(budget < 0 ? "too many values" : "a string that is not valid Unicode, or a name that is too long");
        }

        if (!root.TryGetProperty("jsonrpc", out var version) || version.ValueKind != JsonValueKind.String || !version.ValueEquals("2.0"))
        {
            return RpcFault.Invalid("jsonrpc must be \"2.0\"");
        }

        if (!root.TryGetProperty("method", out var method) || method.ValueKind != JsonValueKind.String || method.GetString()!.Length is 0 or > MaxMethod)
        {
            return RpcFault.Invalid("method must be a short string");
        }

        if (root.TryGetProperty("id", out var id) && !IsId(id))
        {
            return RpcFault.Invalid("id must be a string of at most 128 characters or an integer within 2^53");
        }

        return root.TryGetProperty("params", out var parameters) && parameters.ValueKind != JsonValueKind.Object
            ? RpcFault.Invalid("params must be an object")
            : null;
    }

    private static bool IsId(JsonElement id) => id.ValueKind switch
    {
        JsonValueKind.String => id.GetString()!.Length is > 0 and <= MaxId,
        JsonValueKind.Number => id.TryGetInt64(out var number) && number is >= -MaxSafeInteger and <= MaxSafeInteger,
        _ => false,
    };

    private static bool IsSound(JsonElement element, ref int budget)
    {
        if (--budget < 0)
        {
            return false;
        }

        switch (element.ValueKind)
        {
            case JsonValueKind.String:
                return IsText(element);
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray())
                {
                    if (!IsSound(item, ref budget))
                    {
                        return false;
                    }
                }

                return true;
            case JsonValueKind.Object:
                foreach (var member in element.EnumerateObject())
                {
                    if (member.Name.Length > MaxName || !IsSound(member.Value, ref budget))
                    {
                        return false;
                    }
                }

                return true;
            default:
                return true;
        }
    }

    private static bool IsText(JsonElement element)
    {
        try
        {
            return element.GetString() is not null;
        }
        catch (InvalidOperationException)
        {
            // An escape such as "\ud800" stands for no character.
            return false;
        }
    }
}
