namespace Gjoll.Cli.Tests;

public sealed class CopyTests : IAsyncLifetime
{
    private readonly Commands _gjoll = new();

    public async ValueTask InitializeAsync() => await _gjoll.UpAsync("box");

    public ValueTask DisposeAsync() => _gjoll.DisposeAsync();

    [Fact]
    public async Task FilesAndFolders_ComeBackAsTheyWent()
    {
        var tree = Directory.CreateDirectory(Path.Combine(_gjoll.Folder, "tree"));
        Directory.CreateDirectory(Path.Combine(tree.FullName, "deep", "er"));
        await File.WriteAllBytesAsync(Path.Combine(tree.FullName, "deep", "er", "a 'name' \n ü"), [1, 2, 0, 255], TestContext.Current.CancellationToken);
        File.CreateSymbolicLink(Path.Combine(tree.FullName, "link"), "deep/er");
        File.WriteAllText(Path.Combine(_gjoll.Folder, "run.sh"), "#!/bin/sh\necho ran\n");
        File.SetUnixFileMode(Path.Combine(_gjoll.Folder, "run.sh"), (UnixFileMode)0b111_101_101);

        Assert.Equal("/work/tree\n", (await _gjoll.DoAsync("cp", "tree", "box:/work/")).Text);
        Assert.Equal("/home/agent/run.sh\n", (await _gjoll.DoAsync("cp", "box", "run.sh", ":")).Text);
        Assert.Equal("ran\n", (await _gjoll.DoAsync("ssh", "box", "--", "/home/agent/run.sh")).Text);
        await _gjoll.DoAsync("cp", "box:/work/tree", "back");
        await _gjoll.DoAsync("cp", "box:run.sh", "again.sh");

        Assert.Equal([1, 2, 0, 255], File.ReadAllBytes(Path.Combine(_gjoll.Folder, "back", "deep", "er", "a 'name' \n ü")));
        Assert.Equal("deep/er", new FileInfo(Path.Combine(_gjoll.Folder, "back", "link")).LinkTarget);
        Assert.Equal(File.ReadAllText(Path.Combine(_gjoll.Folder, "run.sh")), File.ReadAllText(Path.Combine(_gjoll.Folder, "again.sh")));
        Assert.NotEqual((UnixFileMode)0, File.GetUnixFileMode(Path.Combine(_gjoll.Folder, "again.sh")) & UnixFileMode.UserExecute);
    }

    [Theory]
    [InlineData("ln -s /etc/passwd /work/evil/x")]
    [InlineData("ln -s ../../../etc/passwd /work/evil/x")]
    [InlineData("mkdir /work/evil/a; ln -s a/../../.. /work/evil/x")]
    [InlineData("mkfifo /work/evil/x")]
    public async Task Archive_ThatReachesOutIsRefusedAndLeavesNothing(string make)
    {
        await _gjoll.DoAsync("ssh", "box", "--", "sh", "-c", "mkdir /work/evil; " + make);

        var said = await _gjoll.RunAsync("cp", "box:/work/evil", "taken");

        Assert.Equal((1, ""), (said.Code, said.Text));
        Assert.Contains("refused", said.Talk, StringComparison.Ordinal);
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(_gjoll.Folder), path => !path.EndsWith(".yaml", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Copy_LeavesWhatIsThereAlone()
    {
        await _gjoll.DoAsync("ssh", "box", "--", "sh", "-c", "mkdir /work/d; echo new > /work/d/f; echo file > /work/f");
        Directory.CreateDirectory(Path.Combine(_gjoll.Folder, "d"));
        File.WriteAllText(Path.Combine(_gjoll.Folder, "d", "mine"), "mine");

        Assert.Equal(5, (await _gjoll.RunAsync("cp", "box:/work/d", ".")).Code);
        Assert.Equal("mine", File.ReadAllText(Path.Combine(_gjoll.Folder, "d", "mine")));
        File.CreateSymbolicLink(Path.Combine(_gjoll.Folder, "f"), "d/mine");
        await _gjoll.DoAsync("cp", "box:/work/f", ".");

        Assert.Equal("mine", File.ReadAllText(Path.Combine(_gjoll.Folder, "d", "mine")));
        Assert.Equal("file\n", File.ReadAllText(Path.Combine(_gjoll.Folder, "f")));
    }

    [Fact]
    public async Task Copy_StopsAtItsBound()
    {
        await _gjoll.DoAsync("ssh", "box", "--", "sh", "-c", "head -c 3000000 /dev/zero > /work/big");

        var said = await _gjoll.RunAsync("cp", "box:/work/big", "big", "--max-mib", "1");

        Assert.Equal(1, said.Code);
        Assert.False(File.Exists(Path.Combine(_gjoll.Folder, "big")));
        Assert.Equal(1, (await _gjoll.RunAsync("cp", "box:/no/such", "x")).Code);
        Assert.Equal(3, (await _gjoll.RunAsync("cp", "nothing", "box:/work")).Code);
    }
}
