using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Gjoll.Images;

/// <summary>The software bill of materials, as SPDX 2.3 in JSON: each Debian package, each npm package, each folder of the host with each of its files.</summary>
internal sealed class Sbom(ImageDefinition definition, VariantDefinition variant, string inputs)
{
    private const string ImageId = "SPDXRef-Image";

    private readonly List<(string Id, Action<Utf8JsonWriter> Write)> _packages = [];
    private readonly List<(string Id, string Folder, HostFile File)> _files = [];

    public void Add(DebianPackage package) =>
        AddPackage($"deb-{package.Name}-{package.Architecture}", package.Name, package.Version, "LIBRARY", json =>
        {
            json.WriteString("sourceInfo", $"built from the Debian source package {package.Source}");
            WriteLocator(json, $"pkg:deb/debian/{Uri.EscapeDataString(package.Name)}@{Uri.EscapeDataString(package.Version)}?arch={package.Architecture}&distro={definition.Suite}");
        });

    public void Add(NpmDefinition package) =>
        AddPackage($"npm-{package.Package}-{package.Version}", package.Package, package.Version, "APPLICATION", json =>
        {
            WriteChecksum(json, "SHA512", Convert.ToHexStringLower(Convert.FromBase64String(package.Integrity["sha512-".Length..])));
            WriteLocator(json, $"pkg:npm/{package.Package.Replace("@", "%40", StringComparison.Ordinal)}@{package.Version}");
        });

    public void Add(HostFolder folder)
    {
        AddPackage($"host-{folder.Definition.To.Trim('/')}", folder.Definition.To, folder.Version("sdk") ?? "unknown", "LIBRARY", json =>
            json.WriteString("sourceInfo", "copied from the machine that built the image"));
        _files.AddRange(folder.Files.Where(file => file.LinkTo is null).Select((file, number) => ($"SPDXRef-host-{Plain(folder.Definition.To.Trim('/'))}-file-{number}", folder.Definition.To, file)));
    }

    /// <summary>The guest agent, by its digest.</summary>
    public void AddGuest(string sha256) => AddPackage("gjoll-guest", "gjoll-guest", sha256[..12], "APPLICATION", json => WriteChecksum(json, "SHA256", sha256));

    public byte[] Finish()
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("spdxVersion", "SPDX-2.3");
            json.WriteString("dataLicense", "CC0-1.0");
            json.WriteString("SPDXID", "SPDXRef-DOCUMENT");
            json.WriteString("name", $"{definition.Name}-{variant.Name}");
            json.WriteString("documentNamespace", $"urn:gjoll:image:{definition.Name}:{variant.Name}:{inputs}");
            json.WriteStartObject("creationInfo");
            json.WriteString("created", definition.Timestamp.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture));
            json.WriteStartArray("creators");
            json.WriteStringValue("Tool: gjoll");
            json.WriteEndArray();
            json.WriteEndObject();
            WritePackages(json);
            WriteFiles(json);
            WriteRelationships(json);
            json.WriteEndObject();
        }

        bytes.WriteByte((byte)'\n');
        return bytes.ToArray();
    }

    private void AddPackage(string id, string name, string version, string purpose, Action<Utf8JsonWriter> more)
    {
        var reference = "SPDXRef-" + Plain(id);
        _packages.Add((reference, json =>
        {
            json.WriteStartObject();
            json.WriteString("SPDXID", reference);
            json.WriteString("name", name);
            json.WriteString("versionInfo", version);
            json.WriteString("downloadLocation", "NOASSERTION");
            json.WriteBoolean("filesAnalyzed", false);
            json.WriteString("licenseConcluded", "NOASSERTION");
            json.WriteString("licenseDeclared", "NOASSERTION");
            json.WriteString("copyrightText", "NOASSERTION");
            json.WriteString("primaryPackagePurpose", purpose);
            more(json);
            json.WriteEndObject();
        }));
    }

    private void WritePackages(Utf8JsonWriter json)
    {
        json.WriteStartArray("packages");
        json.WriteStartObject();
        json.WriteString("SPDXID", ImageId);
        json.WriteString("name", definition.Name);
        json.WriteString("versionInfo", $"{variant.Name}-{inputs[..12]}");
        json.WriteString("downloadLocation", "NOASSERTION");
        json.WriteBoolean("filesAnalyzed", false);
        json.WriteString("primaryPackagePurpose", "OPERATING-SYSTEM");
        json.WriteEndObject();
        foreach (var (_, write) in _packages)
        {
            write(json);
        }

        json.WriteEndArray();
    }

    private void WriteFiles(Utf8JsonWriter json)
    {
        json.WriteStartArray("files");
        foreach (var (id, folder, file) in _files)
        {
            json.WriteStartObject();
            json.WriteString("SPDXID", id);
            json.WriteString("fileName", $".{folder}/{file.Name}");
            WriteChecksum(json, "SHA256", file.Sha256);
            json.WriteString("licenseConcluded", "NOASSERTION");
            json.WriteString("copyrightText", "NOASSERTION");
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private void WriteRelationships(Utf8JsonWriter json)
    {
        json.WriteStartArray("relationships");
        Relate("SPDXRef-DOCUMENT", "DESCRIBES", ImageId);
        foreach (var (id, _) in _packages)
        {
            Relate(ImageId, "CONTAINS", id);
        }

        foreach (var (id, _, _) in _files)
        {
            Relate(ImageId, "CONTAINS", id);
        }

        json.WriteEndArray();

        void Relate(string from, string how, string to)
        {
            json.WriteStartObject();
            json.WriteString("spdxElementId", from);
            json.WriteString("relationshipType", how);
            json.WriteString("relatedSpdxElement", to);
            json.WriteEndObject();
        }
    }

    private static void WriteChecksum(Utf8JsonWriter json, string algorithm, string value)
    {
        json.WriteStartArray("checksums");
        json.WriteStartObject();
        json.WriteString("algorithm", algorithm);
        json.WriteString("checksumValue", value);
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static void WriteLocator(Utf8JsonWriter json, string locator)
    {
        json.WriteStartArray("externalRefs");
        json.WriteStartObject();
        json.WriteString("referenceCategory", "PACKAGE-MANAGER");
        json.WriteString("referenceType", "purl");
        json.WriteString("referenceLocator", locator);
        json.WriteEndObject();
        json.WriteEndArray();
    }

    // An SPDX id has letters, digits, '.' and '-' only.
    private static string Plain(string id)
    {
        var plain = new StringBuilder(id.Length);
        foreach (var letter in id)
        {
            // Escaped rather than dropped, so that two names never become one.
            _ = char.IsAsciiLetterOrDigit(letter) || letter is '-' ? plain.Append(letter) : plain.Append('.').Append(((int)letter).ToString("x2", System.Globalization.CultureInfo.InvariantCulture));
        }

        return plain.ToString();
    }
}
