using Gjoll.Images;

namespace Gjoll.Tests.Images;

public sealed class DefinitionReaderTests : IDisposable
{
    private const string Whole = """
        format: 1
        name: tiny
        architecture: amd64
        suite: bookworm
        timestamp: 2026-11-01T00:00:00Z
        kernel: {package: linux-image-cloud-amd64, modules: [virtio_blk], command_line: quiet}
        variants:
          small: {layers: [base], disk: 512MiB}
        layers:
          base:
            packages: [git]
            users: [{name: agent, id: 1000, sudo: true}]
            files:
              - {path: /work, folder: true, owner: agent}
              - {path: /etc/motd, content: hello, mode: "0600"}
            npm:
              - package: "@scope/tool"
                version: 1.2.3
                integrity: sha512-9Gn+V7DtJ8M1nztP9CeDVl9g3RtrepI7rOFTyPRRnZe8D6zebIHKmC7OvBauucuAP0X0k85SDN/LPVZyjsGezQ==
                to: /opt/tool
                links: {/usr/local/bin/tool: bin/tool}
            host_folders: [{from: [/usr/share/x], to: /usr/share/x}]
            tests: [git --version]
        """;

    private readonly string _folder = TestHost.MakeFolder();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Reader_TakesAWholeDefinition()
    {
        var definition = Read(Whole).Definition;

        Assert.NotNull(definition);
        Assert.Equal(512L << 20, definition.Variants["small"].DiskBytes);
        var layer = Assert.Single(definition.Layers).Value;
        Assert.Equal((UnixFileMode)0b110_000_000, layer.Files[1].Mode);
        Assert.Equal("bin/tool", layer.Npm[0].Links["/usr/local/bin/tool"]);
        Assert.True(layer.Users[0].Sudo);
        Assert.Equal(new DateTimeOffset(2026, 11, 1, 0, 0, 0, TimeSpan.Zero), definition.Timestamp);
    }

    [Theory]
    [InlineData("format: 1", "format: 9", 1, "Format 9 is not known")]
    [InlineData("name: tiny", "name: ../tiny", 2, "'../tiny'; it must be lower-case letters")]
    [InlineData("architecture: amd64", "architecture: amd46", 3, "did you mean 'amd64'?")]
    [InlineData("suite: bookworm", "siute: bookworm", 4, "did you mean 'suite'?")]
    [InlineData("timestamp: 2026-11-01T00:00:00Z", "timestamp: yesterday", 5, "such as 2026-11-01T00:00:00Z")]
    [InlineData("layers: [base]", "layers: [bsae]", 8, "There is no layer 'bsae'; did you mean 'base'?")]
    [InlineData("layers: [base]", "layers: [base, base]", 8, "named twice")]
    [InlineData("disk: 512MiB", "disk: 512", 8, "such as 2GiB")]
    [InlineData("disk: 512MiB", "disk: 1MiB", 8, "from 64MiB")]
    [InlineData("packages: [git]", "packages: [git --force]", 11, "'git --force' in 'packages'")]
    [InlineData("packages: [git]", "packages: [-oDPkg=x]", 11, "must be the name of a Debian package")]
    [InlineData("id: 1000", "id: 0", 12, "a number from 1000 to 59999")]
    [InlineData("owner: agent", "owner: agnet", 8, "The owner 'agnet' of /work is no user of this variant; did you mean 'agent'?")]
    [InlineData("path: /etc/motd", "path: /etc/../motd", 15, "an absolute path without")]
    [InlineData("content: hello", "content: hello, link: /x", 15, "exactly one of")]
    [InlineData("content: hello", "from: ../../etc/passwd", 15, "below the definition's folder")]
    [InlineData("content: hello", "from: absent", 15, "There is no 'absent'")]
    [InlineData("mode: \"0600\"", "mode: \"rw-\"", 15, "four octal digits")]
    [InlineData("version: 1.2.3", "version: ^1.2.3", 18, "one exact version")]
    [InlineData("version: 1.2.3", "version: latest", 18, "one exact version")]
    [InlineData("sha512-9Gn", "sha1-9Gn", 19, "the sha512 that the registry publishes")]
    [InlineData("bin/tool", "../tool", 21, "to a path below 'to'")]
    [InlineData("from: [/usr/share/x]", "from: [share/x]", 22, "an absolute path")]
    [InlineData("tests: [git --version]", "tests: {a: b}", 23, "must be a text")]
    [InlineData("name: tiny", "name: &a tiny", 2, "Anchors and aliases")]
    [InlineData("name: tiny", "name: !!str tiny", 2, "Tags are not allowed")]
    [InlineData("name: tiny", "name: tiny\nname: tiny", 3, "not YAML")]
    [InlineData("format: 1", "format: [", 1, "not YAML")]
    public void Reader_RefusesAndSaysWhere(string sound, string broken, long line, string text)
    {
        var reading = Read(Whole.Replace(sound, broken, StringComparison.Ordinal));

        Assert.Null(reading.Definition);
        Assert.Contains(reading.Errors, error => error.Text.Contains(text, StringComparison.Ordinal));
        Assert.Contains(reading.Errors, error => error.Line == line || text == "not YAML");
    }

    [Fact]
    public void Reader_SaysAllErrorsAtOnceInTheirOrder()
    {
        var reading = Read("format: 1\nnmae: x\nsuite: Book Worm\nvariants: {v: {layers: [none], disk: big}}\nlayers: {l: {pakcages: []}}\n");

        string[] expected = ["'nmae'; did you mean 'name'?", "lacks the key 'name'", "lacks the key 'architecture'", "lacks the key 'kernel'", "'suite' is 'Book Worm'", "There is no layer 'none'", "'disk' is 'big'", "did you mean 'packages'?"];
        Assert.All(expected, part => Assert.Contains(reading.Errors, error => error.Text.Contains(part, StringComparison.Ordinal)));
        Assert.Equal(reading.Errors.OrderBy(error => error.Line).Select(error => error.Line), reading.Errors.Select(error => error.Line));
    }

    [Theory]
    [InlineData("")]
    [InlineData("- a list")]
    [InlineData("text")]
    [InlineData("--- {}\n--- {}\n")]
    [InlineData("? [a]\n: b\n")]
    [InlineData("\0\u0001\ufffd")]
    public void Reader_RefusesWhatIsNoTable(string text) => Assert.NotEmpty(Read(text).Errors);

    [Fact]
    public void Reader_RefusesDeepNesting() => Assert.Contains(Read(new string('[', 5000)).Errors, error => error.Text.Contains("nested too deeply", StringComparison.Ordinal));

    [Fact]
    public async Task Load_NamesTheFileAndCountsErrors()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "image.yaml"), "format: 1\n");

        var refused = await Assert.ThrowsAsync<GjollException>(() => ImageDefinition.LoadAsync(_folder, CancellationToken.None));

        Assert.Contains(Path.Combine(_folder, "image.yaml"), refused.Message, StringComparison.Ordinal);
        Assert.Contains("7 errors", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Drellaos_IsAWholeDefinition()
    {
        var definition = await ImageDefinition.LoadAsync(Path.Combine(TestHost.RepositoryRoot, "images/drellaos"), CancellationToken.None);

        Assert.Equal(["agent", "default", "full", "minimal"], definition.Variants.Keys.Order());
        Assert.All(definition.Variants.Values, variant => Assert.NotEmpty(definition.LayersOf(variant).SelectMany(layer => layer.Tests)));
        Assert.All(definition.Variants.Values, variant => Assert.Equal(("agent", 1000, true), definition.LayersOf(variant).SelectMany(layer => layer.Users).Select(user => (user.Name, user.Id, user.Sudo)).Single()));
        // Neither comes into a sandbox: nothing listens, and nothing fetches its configuration from outside.
        Assert.DoesNotContain(definition.Layers.Values.SelectMany(layer => layer.Packages), package => package is "openssh-server" or "cloud-init" or "systemd");
    }

    private DefinitionReading Read(string text) => DefinitionReader.Read(text, _folder);
}
