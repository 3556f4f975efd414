using System.Formats.Tar;
using System.Text;

namespace Gjoll.Tests;

public abstract partial class SandboxContract
{
    [Theory]
    [InlineData("plain")]
    [InlineData("-rf")]
    [InlineData("--help")]
    [InlineData("new\nline")]
    [InlineData("ends in newline\n")]
    [InlineData("quote'\"`$(id)")]
    [InlineData("ü\u202e☃")]
    [InlineData("deep/er/-x/file")]
    [InlineData("back\\slash *?[")]
    public async Task Files_KeepContentUnderAnyName(string name)
    {
        var sandbox = await StartedAsync();
        var path = "/work/" + name;
        byte[] content = [0, 1, 255, 10, 13, 0];

        await sandbox.WriteFileAsync(path, new MemoryStream(content), GuestFileMode.Private, Cancel);
        await sandbox.WriteFileAsync(path, new MemoryStream(content), GuestFileMode.Private, Cancel);
        using var copy = new MemoryStream();
        var length = await sandbox.CopyOutAsync(path, copy, 100, Cancel);

        Assert.Equal(content.Length, length);
        Assert.Equal(content, copy.ToArray());
        Assert.Equal("600\n", await OutputAsync(sandbox, "stat -c %a -- \"$1\"", path));
    }

    [Fact]
    public async Task WriteFile_LeavesNoDraftWhenItFails()
    {
        var sandbox = await StartedAsync();

        await Assert.ThrowsAsync<GjollException>(() => sandbox.WriteFileAsync("/usr/bin/new", Bytes("x"), GuestFileMode.Readable, Cancel));
        await OutputAsync(sandbox, "mkdir /work/taken");
        await Assert.ThrowsAsync<GjollException>(() => sandbox.WriteFileAsync("/work/taken", Bytes("x"), GuestFileMode.Readable, Cancel));

        Assert.Equal("taken\n", await OutputAsync(sandbox, "ls -A /work"));
    }

    [Fact]
    public async Task CopyOut_FailsWhenTheFileIsLongerThanAllowed()
    {
        var sandbox = await StartedAsync();
        await OutputAsync(sandbox, "head -c 5000 /dev/zero > /work/long");
        using var copy = new MemoryStream();

        await Assert.ThrowsAsync<GjollException>(() => sandbox.CopyOutAsync("/work/long", copy, 4999, Cancel));
        Assert.Equal(4999, copy.Length);
        await Assert.ThrowsAsync<GjollException>(() => sandbox.CopyOutAsync("/dev/zero", Stream.Null, 1 << 20, Cancel));
        Assert.Equal(5000, await sandbox.CopyOutAsync("/work/long", Stream.Null, 5000, Cancel));
    }

    [Fact]
    public async Task CopyOut_FailsWhenThereIsNothing()
    {
        var sandbox = await StartedAsync();

        var failure = await Assert.ThrowsAsync<GjollException>(() => sandbox.CopyOutAsync("/work/none", Stream.Null, 10, Cancel));

        Assert.Contains("No such file", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CopyOut_FollowsLinksInTheGuestOnly()
    {
        var sandbox = await StartedAsync();
        var canary = Path.Combine(Folder, "canary");
        await File.WriteAllTextAsync(canary, "host secret", Cancel);
        await OutputAsync(sandbox, "ln -s \"$1\" /work/link; ln -s /etc/shadow /work/shadow; ln -s /etc/passwd /work/passwd", canary);
        using var copy = new MemoryStream();

        await Assert.ThrowsAsync<GjollException>(() => sandbox.CopyOutAsync("/work/link", copy, 1000, Cancel));
        await Assert.ThrowsAsync<GjollException>(() => sandbox.CopyOutAsync("/work/shadow", copy, 1000, Cancel));
        await sandbox.CopyOutAsync("/work/passwd", copy, 1000, Cancel);

        Assert.DoesNotContain("secret", Encoding.UTF8.GetString(copy.ToArray()), StringComparison.Ordinal);
        Assert.Contains("agent:x:1000:", Encoding.UTF8.GetString(copy.ToArray()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task CopyIn_BringsNamesOfAnyBytesLinksAndModes()
    {
        var sandbox = await StartedAsync();
        var source = Directory.CreateDirectory(Path.Combine(Folder, "source")).FullName;
        await File.WriteAllTextAsync(Path.Combine(source, "-new\nline"), "odd", Cancel);
        Directory.CreateDirectory(Path.Combine(source, "empty"));
        await File.WriteAllTextAsync(Path.Combine(source, "run.sh"), "#!/bin/sh\necho ran", Cancel);
        File.SetUnixFileMode(Path.Combine(source, "run.sh"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        File.CreateSymbolicLink(Path.Combine(source, "link"), "/etc/shadow");
        // A name that is no UTF-8 can only be made by a program that takes bytes.
        await TestHost.RunAsync("/bin/sh", "-c", "printf latin > \"$1/$(printf 'caf\\351')\"", "sh", source);

        await sandbox.CopyInAsync(source, "/work/in to", Cancel);

        Assert.Equal("odd", await OutputAsync(sandbox, "cat '/work/in to/-new\nline'"));
        Assert.Equal("ran\n", await OutputAsync(sandbox, "test -d '/work/in to/empty' && '/work/in to/run.sh'"));
        Assert.Equal("/etc/shadow\n", await OutputAsync(sandbox, "readlink '/work/in to/link'"));
        Assert.Equal("latin", await OutputAsync(sandbox, "cat \"/work/in to/$(printf 'caf\\351')\""));
        Assert.Equal("agent\n", await OutputAsync(sandbox, "stat -c %U '/work/in to/run.sh'"));
    }

    [Fact]
    public async Task CopyOutArchive_GivesWhatIsThereWithItsLinksUnfollowed()
    {
        var sandbox = await StartedAsync();
        await OutputAsync(sandbox, "mkdir -p /work/-tree/sub; echo deep > /work/-tree/sub/file; ln -s /etc/shadow /work/-tree/link");
        using var archive = new MemoryStream();

        await sandbox.CopyOutArchiveAsync("/work/-tree", archive, 1 << 20, Cancel);

        archive.Position = 0;
        var entries = new Dictionary<string, TarEntryType>();
        using var reader = new TarReader(archive);
        while (await reader.GetNextEntryAsync(cancellationToken: Cancel) is { } entry)
        {
            entries[entry.Name] = entry.EntryType;
        }

        Assert.Equal(TarEntryType.SymbolicLink, entries["-tree/link"]);
        Assert.Equal(TarEntryType.RegularFile, entries["-tree/sub/file"]);
        await Assert.ThrowsAsync<GjollException>(() => sandbox.CopyOutArchiveAsync("/work/-tree", Stream.Null, 512, Cancel));
    }
}
