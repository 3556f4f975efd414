using System.Text.Json;
using Gjoll.Images;

namespace Gjoll.Tests.Images;

/// <summary>The examples of docs/formats/image.md are what the programs read and write.</summary>
public sealed class ImageDocumentTests
{
    private static readonly string _page = File.ReadAllText(Path.Combine(TestHost.RepositoryRoot, "docs/formats/image.md"));

    [Fact]
    public void Definition_OfThePageIsRead()
    {
        var reading = DefinitionReader.Read(Block("yaml"), "/nowhere");

        Assert.Empty(reading.Errors);
        Assert.Equal(["base", "tools"], reading.Definition!.Variants["default"].Layers);
    }

    [Fact]
    public void Manifest_OfThePageIsReadAndWrittenAlike()
    {
        var manifest = JsonSerializer.Deserialize(Block("json"), ImageJson.Default.ImageManifest)!;

        using var written = JsonDocument.Parse(JsonSerializer.Serialize(manifest, ImageJson.Default.ImageManifest));
        using var shown = JsonDocument.Parse(Block("json"));
        Assert.True(JsonElement.DeepEquals(shown.RootElement, written.RootElement));
        Assert.Equal(ImageManifest.Required.Order(StringComparer.Ordinal), manifest.Files.Keys);
    }

    private static string Block(string language)
    {
        var start = _page.IndexOf($"```{language}\n", StringComparison.Ordinal) + language.Length + 4;
        return _page[start.._page.IndexOf("```", start, StringComparison.Ordinal)];
    }
}
