using System.Text;
using System.Text.RegularExpressions;
using Drella.Core.Agents;
using Drella.Core.Jobs;
using Drella.Core.Journal;
using Drella.Web.Pages;

namespace Drella.Web.Tests;

public sealed partial class PageTests
{
    public static TheoryData<string> Hostile { get; } =
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "\"><svg onload=alert(1)>",
        "' onmouseover='alert(1)",
        "</textarea></title></pre></script><script>alert(1)</script>",
        "javascript:alert(1)",
        "https://forge.example.evil.example/x\"onclick=alert(1)",
        "<math><mi xlink:href=\"data:text/html,<script>alert(1)</script>\">",
        "![x](http://lab.example/x.png) [y](javascript:alert(1))",
        "<style>@import url(//lab.example)</style>",
        "{0} {{1}} {",
        "a\u202Eb\u2066c\u200Bd\uFEFFe\u001B]52;c;aGk=\u0007f\u009B31mg\0h",
        "\uD800 lone \uDFFF",
        "x\u061C\u00AD\u2028\u180E\u3164",
    ];

    [Theory]
    [MemberData(nameof(Hostile))]
    public async Task Page_ShowsHostileTextInertWhereverItStands(string text)
    {
        await using var house = await WebHouse.OpenAsync();
        var live = await house.JobAsync(Some.Request(title: text, text: text), [.. Some.AtWork("t"), .. Some.WithEverywhere(text)]);
        AgentEvent[] said =
        [
            new AgentEvent.Said(text, null), new AgentEvent.Thought(text, null), new AgentEvent.ToolCall("c", text, text, null), new AgentEvent.ToolResult("c", false, text),
            new AgentEvent.Permission("c", text, text), new AgentEvent.InputTaken(text), new AgentEvent.Error(text, 500, text), new AgentEvent.TurnEnded(true, text, text),
            new AgentEvent.Notice("drella/" + text), new AgentEvent.Unparsed(text),
        ];
        await house.BlobAsync("t", Encoding.UTF8.GetBytes(string.Concat(said.Select(each => AgentEventJson.Write(each) + "\n"))));

        foreach (var path in new[] { "/", $"/jobs/{live.Job.Id}", $"/jobs/{live.Job.Id}?page=0&run=0" })
        {
            var html = await house.Client.GetStringAsync(path, TestContext.Current.CancellationToken);

            Assert.All(Tag().Matches(html), tag => Assert.Contains(tag.Groups["name"].Value, Known));
            Assert.All(Attribute().Matches(html), attribute => Assert.False(attribute.Groups["name"].Value.StartsWith("on", StringComparison.OrdinalIgnoreCase)));
            Assert.All(Link().Matches(html), link => Assert.Matches("^(/|\\?|#|https://forge\\.example/)", link.Groups["to"].Value));
            Assert.Single(Regex.Matches(html, "<script"));
            Assert.DoesNotContain(html, character => char.IsControl(character) && character is not ('\n' or '\t'));
            Assert.DoesNotContain(html, character => character is (>= '\u200B' and <= '\u200F') or (>= '\u202A' and <= '\u202E') or (>= '\u2060' and <= '\u206F') or '\uFEFF');
        }
    }

    [Fact]
    public void Text_ShowsByItsCodeWhatWouldNotBeSeen() =>
        Assert.Equal(
            "a[U+202E]b[U+001B]<&\"'[U+E0041][U+061C][U+00AD][U+2028]\n", System.Net.WebUtility.HtmlDecode(Html.Encode("a\u202Eb\u001B<&\"'\U000E0041\u061C\u00AD\u2028\n")));

    [Fact]
    public void EntryText_HasWordsForEveryKind()
    {
        var kinds = typeof(JobEntry).GetNestedTypes().Where(type => type.IsSubclassOf(typeof(JobEntry))).ToList();
        Assert.NotEmpty(kinds);
        foreach (var kind in kinds)
        {
            var sample = Samples.Of(kind);
            var text = EntryText.For(sample);
            Assert.NotEqual(kind.Name, text);
            Assert.False(string.IsNullOrWhiteSpace(text));
        }
    }

    [Fact]
    public async Task Link_IsMadeOnlyToTheForge()
    {
        await using var house = await WebHouse.OpenAsync();
        var good = await house.JobAsync(Some.Request("good"), new JobEntry.PullRequestOpened(1, "https://forge.example/acme/app/pull/1", "b"));
        var bad = await house.JobAsync(Some.Request("bad"), new JobEntry.PullRequestOpened(1, "https://forge.example@evil.example/pull/1", "b"));

        Assert.Contains("<a href=\"https://forge.example/acme/app/pull/1\"", await PageAsync(house, good), StringComparison.Ordinal);
        Assert.DoesNotContain("href=\"https://forge.example@", await PageAsync(house, bad), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Page_StaysBoundedWhenTheJobIsLarge()
    {
        await using var house = await WebHouse.OpenAsync();
        var live = await house.JobAsync(null, Some.AtWork("t"));
        var filler = Enumerable.Range(0, 20_000).Select(i => JobEntryCodec.Encode(new JobEntry.DoorUsed("egress", $"host-{i}.example:443", i % 2 == 0, "rule"))).ToList();
        await house.Journal.AppendAsync(live.Job.Id.Stream, null, filler, TestContext.Current.CancellationToken);
        await house.BlobAsync("t", Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 100_000).Select(i => AgentEventJson.Write(new AgentEvent.Said($"said-{i}.", null)) + "\n"))));

        var newest = await PageAsync(house, live);
        var first = await house.Client.GetStringAsync($"/jobs/{live.Job.Id}?page=0", TestContext.Current.CancellationToken);
        var beyond = await house.Client.GetStringAsync($"/jobs/{live.Job.Id}?page=2147483647&run=2147483647", TestContext.Current.CancellationToken);

        Assert.Contains("said-99999.", newest, StringComparison.Ordinal);
        Assert.DoesNotContain("said-99599.", newest, StringComparison.Ordinal);
        Assert.Contains("said-0.", first, StringComparison.Ordinal);
        Assert.Contains("said-399.", first, StringComparison.Ordinal);
        Assert.DoesNotContain("said-400.", first, StringComparison.Ordinal);
        Assert.Contains("Nothing here", beyond, StringComparison.Ordinal);
        Assert.Contains("10,000 denied, 10,000 allowed", newest, StringComparison.Ordinal);
        Assert.InRange(newest.Length, 1, 600_000);
    }

    [Fact]
    public async Task Overview_ShowsEveryJobInOneLaneOnly()
    {
        await using var house = await WebHouse.OpenAsync();
        var jobs = new List<LiveJob>
        {
            await house.JobAsync(Some.Request("a", "job-queued")),
            await house.JobAsync(Some.Request("b", "job-working"), Some.AtWork("t")),
            await house.JobAsync(Some.Request("c", "job-waits"), [.. Some.AtWork("t"), new JobEntry.WaitBegan(WaitKind.Budget, "no money", DateTimeOffset.UnixEpoch)]),
        };
        foreach (var conclusion in Enum.GetValues<JobConclusion>())
        {
            jobs.Add(await house.JobAsync(Some.Request($"d{conclusion}", $"job-{conclusion}"), [.. Some.AtWork("t"), new JobEntry.Concluded(conclusion, "so")]));
        }

        var page = await house.Client.GetStringAsync("/", TestContext.Current.CancellationToken);

        Assert.All(jobs, job => Assert.Single(Regex.Matches(page, Regex.Escape($">{job.Job.Request.Title}<"))));
    }

    private static async Task<string> PageAsync(WebHouse house, LiveJob live) =>
        await house.Client.GetStringAsync($"/jobs/{live.Job.Id}", TestContext.Current.CancellationToken);

    private static readonly string[] Known =
    [
        "html", "head", "meta", "title", "link", "script", "body", "a", "header", "main", "div", "section", "h1", "h2", "h3", "p", "span", "article", "progress", "details",
        "summary", "pre", "form", "label", "input", "button", "code", "nav", "table", "thead", "tbody", "tr", "th", "td", "ul", "ol", "li", "strong", "br", "time",
    ];

    [GeneratedRegex("<(?<name>[a-zA-Z][^\\s>]*)")]
    private static partial Regex Tag();

    [GeneratedRegex("<[a-z0-9]+(?:\\s+(?<name>[a-zA-Z-]+)(?:=\"[^\"]*\")?)+")]
    private static partial Regex Attribute();

    [GeneratedRegex("(?:href|src|action)=\"(?<to>[^\"]*)\"")]
    private static partial Regex Link();
}
