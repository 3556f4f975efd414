using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Drella.Forge.Tests;

/// <summary>The pages that people open from a link: who sees them, and that what strangers wrote is text on them.</summary>
public sealed class PageTests
{
    private const string Hostile = "<script>x()</script> <img src=x onerror=x()> [go](javascript:x()) \u202Egnp.exe";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Index_ListsWhatTheCallerMayReadAndAsksStrangersForAToken()
    {
        await using var forge = await ForgeHost.StartAsync(Stop);

        Assert.Contains("<a href=\"/octo/app\">octo/app</a>", await PageAsync(forge, "/", "reader"), StringComparison.Ordinal);
        Assert.Contains("None that you may see", await PageAsync(forge, "/", "stranger"), StringComparison.Ordinal);
        using var anonymous = await AskAsync(forge, "/", null);
        Assert.Equal(HttpStatusCode.Unauthorized, anonymous.StatusCode);
        Assert.Equal("Basic", anonymous.Headers.WwwAuthenticate.Single().Scheme);
        Assert.DoesNotContain("octo/app", await anonymous.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Index_ShowsAPublicRepositoryToEverybody()
    {
        await using var forge = await ForgeHost.StartAsync(Stop, isPrivate: false);

        using var anonymous = await AskAsync(forge, "/", null);

        Assert.Contains("octo/app", await anonymous.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/octo/app", "reader", HttpStatusCode.OK)]
    [InlineData("/octo/app/pulls", "reader", HttpStatusCode.OK)]
    [InlineData("/octo/app/issues", "reader", HttpStatusCode.OK)]
    [InlineData("/octo/app", "stranger", HttpStatusCode.NotFound)]
    [InlineData("/octo/absent", "reader", HttpStatusCode.NotFound)]
    [InlineData("/octo/app/pull/99", "reader", HttpStatusCode.NotFound)]
    [InlineData("/octo/app", null, HttpStatusCode.Unauthorized)]
    public async Task Pages_AreForThoseWhoMayRead(string path, string? login, HttpStatusCode expected)
    {
        await using var forge = await ForgeHost.StartAsync(Stop);

        using var answer = await AskAsync(forge, path, login);

        Assert.Equal(expected, answer.StatusCode);
        Assert.StartsWith("default-src 'none'; style-src 'self';", answer.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pages_ShowWhatStrangersWroteAsText()
    {
        await using var forge = await ForgeHost.StartAsync(Stop);
        var issue = (int)(await forge.Post("/repos/octo/app/issues", new { title = Hostile, body = Hostile })).Expect(201)["number"];
        (await forge.Post($"/repos/octo/app/issues/{issue}/comments", new { body = Hostile })).Expect(201);
        await forge.Commit("feature", "evil.js", $"if (admin\u202E) {{ {Hostile} }}\n");
        var pull = (await forge.Post("/repos/octo/app/pulls", new { title = Hostile, body = Hostile, head = "feature", @base = "main" }, "dev")).Expect(201);
        (await forge.Post($"/repos/octo/app/pulls/{pull["number"]}/reviews", new { @event = "COMMENT", body = Hostile, comments = new[] { new { path = "evil.js", line = 1, side = "RIGHT", body = Hostile } } })).Expect(200);

        foreach (var path in new[] { "/octo/app/issues", $"/octo/app/issues/{issue}", "/octo/app/pulls", $"/octo/app/pull/{pull["number"]}" })
        {
            var page = await PageAsync(forge, path, "octo");
            Assert.DoesNotContain("<script", page, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("<img src=x", page, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("href=\"javascript:", page, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain('\u202E', page);
            Assert.Contains("[U+202E]gnp.exe", page, StringComparison.Ordinal);
        }

        Assert.Contains("if (admin[U+202E])", await PageAsync(forge, $"/octo/app/pull/{pull["number"]}", "octo"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pages_KeepTheFactorysMarkersToMachines()
    {
        await using var forge = await ForgeHost.StartAsync(Stop);
        var issue = (int)(await forge.Post("/repos/octo/app/issues", new { title = "t", body = "Seen.\n\n<sub>Small print.</sub>\n\n<!-- drella:j0/pr -->\n\n<!-- hidden from reviewers -->\n\n![p](http://evil.example/p.png)" })).Expect(201)["number"];

        var page = await PageAsync(forge, $"/octo/app/issues/{issue}", "octo");

        Assert.Contains("<p>Small print.</p>", page, StringComparison.Ordinal);
        Assert.DoesNotContain("drella:j0", page, StringComparison.Ordinal);
        Assert.Contains("hidden from reviewers", page, StringComparison.Ordinal);
        Assert.Contains("<a href=\"http://evil.example/p.png\">p</a>", page, StringComparison.Ordinal);
    }

    private static async Task<string> PageAsync(ForgeHost forge, string path, string login)
    {
        using var answer = await AskAsync(forge, path, login);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadAsStringAsync(Stop);
    }

    private static async Task<HttpResponseMessage> AskAsync(ForgeHost forge, string path, string? login)
    {
        using var client = new HttpClient { BaseAddress = forge.Server.BaseUrl };
        if (login is not null)
        {
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{login}:{ForgeHost.TokenOf(login)}")));
        }

        return await client.GetAsync(new Uri(path, UriKind.Relative), Stop);
    }
}
