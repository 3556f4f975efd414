using Gjoll.Images;

namespace Gjoll.Tests.Images;

public sealed class AptSourcesTests : IDisposable
{
    private readonly string _folder = TestHost.MakeFolder();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Sources_AreThoseOfTheSuiteInBothWaysOfWriting()
    {
        Write("sources.list", "deb [signed-by=/k.gpg] http://127.0.0.1/debian bookworm main # ours\ndeb http://127.0.0.1/other trixie main\n# deb http://127.0.0.1/off bookworm main\ndeb-src http://127.0.0.1/debian bookworm main\n");
        Write("sources.list.d/debian.sources", "Types: deb deb-src\n# a comment\nURIs: http://127.0.0.1/debian\nSuites: bookworm bookworm-security\nComponents: main\n\nTypes: deb\nURIs: http://127.0.0.1/vendor\nSuites: nodistro\nComponents: main\n");
        Write("sources.list.d/off.sources", "Enabled: no\nTypes: deb\nURIs: http://127.0.0.1/off\nSuites: bookworm\nComponents: main\n");
        Write("sources.list.d/back.list", "deb http://127.0.0.1/debian bookworm-backports main\n");

        var (lines, stanzas) = AptSources.Read("bookworm", hostFolder: _folder);

        Assert.Equal("deb [signed-by=/k.gpg] http://127.0.0.1/debian bookworm main\n", lines);
        Assert.Equal("Types: deb\nURIs: http://127.0.0.1/debian\nSuites: bookworm bookworm-security\nComponents: main\n\n", stanzas);
    }

    [Fact]
    public void Sources_AreRefusedWhenThereIsNoneForTheSuite()
    {
        Write("sources.list", "deb http://127.0.0.1/debian trixie main\n");

        var refused = Assert.Throws<GjollException>(() => AptSources.Read("bookworm", hostFolder: _folder));
        Assert.Contains("no source for Debian bookworm", refused.Message, StringComparison.Ordinal);
    }

    private void Write(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }
}
