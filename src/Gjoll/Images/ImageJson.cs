using System.Text.Json;
using System.Text.Json.Serialization;

namespace Gjoll.Images;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, NewLine = "\n", UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(ImageManifest))]
[JsonSerializable(typeof(Dictionary<string, CheckedFile>))]
internal sealed partial class ImageJson : JsonSerializerContext;
