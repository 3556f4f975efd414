using System.Text.Json;
using System.Text.Json.Serialization;

namespace Gjoll.Wire;

/// <summary>The JSON of requests and answers: strict, at most 32 levels deep, unknown members refused.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    MaxDepth = 32)]
[JsonSerializable(typeof(WireRequest))]
[JsonSerializable(typeof(WireResponse))]
[JsonSerializable(typeof(WireFailure))]
public sealed partial class WireJson : JsonSerializerContext
{
    /// <exception cref="WireException">It does not fit in one frame.</exception>
    public static byte[] Request(uint channel, WireRequest request) => Make(FrameKind.Request, channel, JsonSerializer.SerializeToUtf8Bytes(request, Default.WireRequest));

    public static byte[] Response(uint channel, WireResponse response) => Make(FrameKind.Response, channel, JsonSerializer.SerializeToUtf8Bytes(response, Default.WireResponse));

    public static byte[] Failure(uint channel, FailureCode code, string message) =>
        Make(FrameKind.Failure, channel, JsonSerializer.SerializeToUtf8Bytes(new WireFailure(code, message), Default.WireFailure));

    public static WireRequest ReadRequest(in Frame frame) => Read(frame, Default.WireRequest);

    public static WireResponse ReadResponse(in Frame frame) => Read(frame, Default.WireResponse);

    public static WireFailure ReadFailure(in Frame frame) => Read(frame, Default.WireFailure);

    private static byte[] Make(FrameKind kind, uint channel, byte[] json) =>
        json.Length <= WireLimits.MaxPayload ? FrameWriter.Make(kind, channel, json) : throw new WireException("a message is longer than a frame");

    private static T Read<T>(in Frame frame, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(frame.Payload.Span, type) ?? throw new WireException($"an empty {frame.Kind} came");
        }
        catch (Exception broken) when (broken is JsonException or NotSupportedException)
        {
            throw new WireException($"a {frame.Kind} that cannot be read came");
        }
    }
}
