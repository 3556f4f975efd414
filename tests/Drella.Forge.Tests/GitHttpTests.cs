using System.Diagnostics;
using System.IO.Compression;
using System.Net.Http.Headers;
using System.Text;

namespace Drella.Forge.Tests;

public sealed class GitHttpTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("0")]
    [InlineData("1")]
    [InlineData("2")]
    public async Task Clone_WorksInEveryProtocolVersion(string version)
    {
        await using var forge = await ForgeHost.StartAsync(Stop);
        var work = forge.Scratch("w");

        var (code, output) = await ForgeHost.Git(work, "-c", "protocol.version=" + version, "clone", "--quiet", forge.CloneUrl(), "app");

        Assert.True(code == 0, output);
        Assert.Equal("# App\n", await File.ReadAllTextAsync(Path.Combine(work, "app", "README.md"), Stop));
    }

    [Fact]
    public async Task Push_UpdatesThePullRequestAndShallowClonesDeepen()
    {
        await using var forge = await ForgeHost.StartAsync(Stop);
        var app = await Clone(forge);
        await CommitFile(app, "big.bin", Noise(3_000_000));
        await Ok(app, "push", "--quiet", "origin", "HEAD:refs/heads/feature");
        var n = await forge.Pull("feature");
        var first = (await forge.Get($"/repos/octo/app/pulls/{n}"))["head"]["sha"]!.ToString();
        await CommitFile(app, "c.txt", "c");
        await Ok(app, "push", "--quiet", "origin", "HEAD:refs/heads/feature");

        var second = (await forge.Get($"/repos/octo/app/pulls/{n}"))["head"]["sha"]!.ToString();
        Assert.NotEqual(first, second);
        var other = forge.Scratch("other");
        await Ok(other, "clone", "--quiet", "--depth=1", "--branch=feature", forge.CloneUrl(), "app");
        await Ok(Path.Combine(other, "app"), "fetch", "--quiet", "--unshallow");
        await Ok(Path.Combine(other, "app"), "fetch", "--quiet", "origin", $"refs/pull/{n}/head");
        Assert.Equal(second, (await Ok(Path.Combine(other, "app"), "rev-parse", "FETCH_HEAD")).Trim());
        await Ok(other, "clone", "--quiet", "--filter=blob:none", "--bare", forge.CloneUrl(), "partial");
    }

    [Fact]
    public async Task Push_OfManyRefsIsReadCompressed()
    {
        await using var forge = await ForgeHost.StartAsync(Stop);
        var app = await Clone(forge);
        var refs = string.Join('\n', Enumerable.Range(0, 400).Select(i => $"create refs/tags/v{i} HEAD"));
        await File.WriteAllTextAsync(Path.Combine(app, "refs.txt"), refs + "\n", Stop);
        for (var i = 0; i < 40; i++)
        {
            await Ok(app, "tag", $"release-with-a-rather-long-name-{i}");
        }

        await Ok(app, "push", "--quiet", "--tags");

        Assert.Contains("release-with-a-rather-long-name-39", await Ok(app, "ls-remote", "--tags", "origin"), StringComparison.Ordinal);
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionMode.Compress, leaveOpen: true))
        {
            await gzip.WriteAsync(Encoding.ASCII.GetBytes("0014command=ls-refs\n0000"), Stop);
        }

        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, forge.Server.BaseUrl + "octo/app.git/git-upload-pack") { Content = new ByteArrayContent(packed.ToArray()) };
        request.Content.Headers.ContentType = new("application/x-git-upload-pack-request");
        request.Content.Headers.ContentEncoding.Add("gzip");
        request.Headers.Add("Git-Protocol", "version=2");
        request.Headers.Authorization = new AuthenticationHeaderValue("token", ForgeHost.TokenOf("dev"));
        using var response = await client.SendAsync(request, Stop);
        Assert.Contains("refs/heads/main", await response.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Push_IsHeldToTheRules()
    {
        await using var forge = await ForgeHost.StartAsync(Stop);
        forge.Server.Admin.Protect("octo", "app", new ForgeProtection { Branch = "main" });
        forge.Server.Admin.Protect("octo", "app", new ForgeProtection { Branch = "release", PushRole = ForgeRole.Write });
        var app = await Clone(forge);
        var before = (await Ok(app, "rev-parse", "origin/main")).Trim();
        await CommitFile(app, "x.txt", "x");

        await Refused(app, "protected branch", "push", "origin", "HEAD:main");
        await Refused(app, "protected branch", "push", "--force", "origin", "HEAD:main");
        await Refused(app, "default branch", "push", "origin", ":main");
        await Refused(app, "only branches and tags", "push", "origin", "HEAD:refs/pull/1/head");
        await Refused(app, "only branches and tags", "push", "origin", "HEAD:refs/drella/x");
        await Refused(app, "another ref", "push", "origin", "HEAD:refs/heads/fine", "HEAD:main");
        Assert.Equal(404, (await forge.Get("/repos/octo/app/git/ref/heads/fine")).Status);
        Assert.Equal(before, (await forge.Get("/repos/octo/app/git/ref/heads/main"))["object"]["sha"]!.ToString());

        await Ok(app, "push", "--quiet", "origin", "HEAD:release");
        await Ok(app, "commit", "--quiet", "--amend", "-m", "other");
        await Refused(app, "non-fast-forward", "push", "--force", "origin", "HEAD:release");
        await Refused(app, "cannot be deleted", "push", "origin", ":release");
        await Ok(app, "push", "--quiet", "origin", "HEAD:topic");
        await Ok(app, "commit", "--quiet", "--amend", "-m", "third");
        await Ok(app, "push", "--quiet", "--force", "origin", "HEAD:topic");
    }

    [Fact]
    public async Task Access_FollowsTheRole()
    {
        await using var forge = await ForgeHost.StartAsync(Stop);
        var work = forge.Scratch("w");
        Assert.NotEqual(0, (await ForgeHost.Git(work, "clone", forge.CloneUrl(null), "a")).Code);
        Assert.NotEqual(0, (await ForgeHost.Git(work, "clone", forge.CloneUrl("stranger"), "b")).Code);
        await Ok(work, "clone", "--quiet", forge.CloneUrl("reader"), "c");
        await CommitFile(Path.Combine(work, "c"), "x", "x");
        Assert.NotEqual(0, (await ForgeHost.Git(Path.Combine(work, "c"), "push", "origin", "HEAD:refs/heads/x")).Code);
        await forge.Server.Admin.EnsureRepositoryAsync("octo", "open", new Dictionary<string, string> { ["a"] = "a" }, isPrivate: false, Stop);
        await Ok(work, "clone", "--quiet", forge.CloneUrl(null, "octo/open"), "d");
        Assert.NotEqual(0, (await ForgeHost.Git(Path.Combine(work, "d"), "push", "origin", "HEAD:refs/heads/x")).Code);
    }

    [Fact]
    public async Task Push_OfAHostileTreeIsRefused()
    {
        await using var forge = await ForgeHost.StartAsync(Stop);
        var app = await Clone(forge);
        var blob = (await Ok(app, "hash-object", "-w", "README.md")).Trim();
        foreach (var name in (string[])[".git", ".GIT", "git~1", ".."])
        {
            var raw = Encoding.ASCII.GetBytes($"100644 {name}\0").Concat(Convert.FromHexString(blob)).ToArray();
            await File.WriteAllBytesAsync(Path.Combine(app, "raw"), raw, Stop);
            var tree = (await Ok(app, "hash-object", "-w", "-t", "tree", "--literally", "raw")).Trim();
            var commit = (await Ok(app, "commit-tree", tree, "-m", "evil")).Trim();

            var (code, output) = await ForgeHost.Git(app, "push", "origin", $"{commit}:refs/heads/evil");

            Assert.True(code != 0, $"{name} was accepted: {output}");
        }

        Assert.Equal(404, (await forge.Get("/repos/octo/app/git/ref/heads/evil")).Status);
    }

    [Theory]
    [InlineData("octo/..%2fapp.git")]
    [InlineData("octo/%2e%2e.git")]
    [InlineData("octo/-app.git")]
    [InlineData("octo/app.git.git")]
    [InlineData("octo/app%00.git")]
    [InlineData("..%2f..%2fetc/app.git")]
    [InlineData("octo/app.lock")]
    public async Task Names_ThatAreNoRepositoryNeverReachGit(string path)
    {
        await using var forge = await ForgeHost.StartAsync(Stop);
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{forge.Server.BaseUrl}{path}/info/refs?service=git-upload-pack");
        request.Headers.Authorization = new AuthenticationHeaderValue("token", ForgeHost.TokenOf("octo"));

        using var response = await client.SendAsync(request, Stop);

        Assert.True((int)response.StatusCode is 400 or 404, response.StatusCode.ToString());
    }

    [Fact]
    public async Task Abort_EndsThePackProcess()
    {
        await using var forge = await ForgeHost.StartAsync(Stop);
        var app = await Clone(forge);
        await CommitFile(app, "big.bin", Noise(30_000_000));
        await Ok(app, "push", "--quiet", "origin", "HEAD:big");
        var head = (await Ok(app, "rev-parse", "HEAD")).Trim();
        var marker = Path.Combine(forge.Folder, "git");
        using (var client = new HttpClient())
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, forge.Server.BaseUrl + "octo/app.git/git-upload-pack")
            {
                Content = new ByteArrayContent(Encoding.ASCII.GetBytes($"0032want {head}\n00000009done\n")),
            };
            request.Content.Headers.ContentType = new("application/x-git-upload-pack-request");
            request.Headers.Authorization = new AuthenticationHeaderValue("token", ForgeHost.TokenOf("dev"));
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stop);
            await (await response.Content.ReadAsStreamAsync(Stop)).ReadAtLeastAsync(new byte[1000], 1000, cancellationToken: Stop);
            Assert.True(Packers(marker) > 0, "the pack was sent whole before it could be broken off");
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        patience.CancelAfter(TimeSpan.FromSeconds(20));
        while (Packers(marker) > 0)
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private static int Packers(string marker) => Process.GetProcessesByName("git").Count(p =>
    {
        try
        {
            return File.ReadAllText($"/proc/{p.Id}/cmdline").Contains(marker, StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    });

    private static async Task<string> Clone(ForgeHost forge)
    {
        var work = forge.Scratch("clone");
        await Ok(work, "clone", "--quiet", forge.CloneUrl(), "app");
        return Path.Combine(work, "app");
    }

    private static async Task<string> Ok(string folder, params string[] arguments)
    {
        var (code, output) = await ForgeHost.Git(folder, arguments);
        Assert.True(code == 0, $"git {string.Join(' ', arguments)}: {output}");
        return output;
    }

    private static async Task Refused(string folder, string reason, params string[] arguments)
    {
        var (code, output) = await ForgeHost.Git(folder, arguments);
        Assert.True(code != 0 && output.Contains(reason, StringComparison.Ordinal), $"git {string.Join(' ', arguments)} ({code}): {output}");
    }

    private static async Task CommitFile(string folder, string name, string text)
    {
        await File.WriteAllTextAsync(Path.Combine(folder, name), text, Encoding.Latin1, Stop);
        await Ok(folder, "add", name);
        await Ok(folder, "commit", "--quiet", "-m", "Add " + name);
    }

    private static string Noise(int length)
    {
        var bytes = new byte[length];
        new Random(7).NextBytes(bytes);
        return Encoding.Latin1.GetString(bytes);
    }
}
