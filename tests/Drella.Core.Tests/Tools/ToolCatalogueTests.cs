using System.Text.Json;
using Drella.Core.Tools;

namespace Drella.Core.Tests.Tools;

public sealed class ToolCatalogueTests
{
    [Fact]
    public void Catalogue_HoldsExactlyTheToolsOfTheDesign() =>
        Assert.Equal(
            [
                "ask_human", "close_pr", "comment_on_pr", "get_pr", "open_pr", "post_review", "reply_to_review", "report_progress",
                "submit_verdict", "update_pr", "upload_image",
            ],
            ToolCatalogue.All.Select(tool => tool.Name).Order(StringComparer.Ordinal));

    [Fact]
    public void Find_KnowsOnlyTheExactName()
    {
        Assert.Equal("open_pr", ToolCatalogue.Find("open_pr")?.Name);
        Assert.Null(ToolCatalogue.Find("Open_PR"));
        Assert.Null(ToolCatalogue.Find("open_pr "));
    }

    [Fact]
    public void Schemas_UseOnlyWhatTheCheckHolds() => Assert.All(ToolCatalogue.All, tool => _ = new SchemaCheck(tool.InputSchema));

    [Fact]
    public void Schemas_NeverAskForARepository() =>
        Assert.All(ToolCatalogue.All, tool => Assert.DoesNotContain("repo", Members(tool.InputSchema)));

    [Theory]
    [InlineData("open_pr", """{"title":"Add login","body":"Why\n\nHow"}""")]
    [InlineData("open_pr", """{"title":"t","body":"b","branch":"drella/j0123456789ab","requirements":[{"id":"R1","status":"met","evidence":"tests/a.py"}]}""")]
    [InlineData("update_pr", """{"summary":"Fixed the parser","pr":7}""")]
    [InlineData("comment_on_pr", """{"body":"Thanks — done ✅"}""")]
    [InlineData("reply_to_review", """{"remark":"thread:PRRT_1","body":"Done","disposition":"fixed"}""")]
    [InlineData("close_pr", """{"reason":"Already there"}""")]
    [InlineData("get_pr", "{}")]
    [InlineData("post_review", """{"event":"request_changes","body":"b","comments":[{"path":".github/ci file.yml","line":3,"body":"x"}]}""")]
    [InlineData("upload_image", """{"filename":"shot-1.png","data":"iVBORw0KGgo="}""")]
    [InlineData("submit_verdict", """{"verdict":"fail","summary":"s","findings":[{"severity":"major","title":"t","evidence":"e","path":"src/..a/.b/c.cs","line":1}]}""")]
    [InlineData("report_progress", """{"text":"Running the tests","percent":40}""")]
    [InlineData("ask_human", """{"question":"Which?","options":["A","B"]}""")]
    public void Tool_TakesWhatItIsFor(string tool, string arguments) => Assert.Empty(Problems(tool, arguments));

    [Theory]
    [InlineData("open_pr", """{"title":"a\nb","body":"b"}""", "title")]
    [InlineData("open_pr", """{"title":"a\n","body":"b"}""", "title")]
    [InlineData("open_pr", """{"title":"a\u202eb","body":"b"}""", "title")]
    [InlineData("open_pr", """{"title":"a","body":"\u001b]52;c;x\u0007"}""", "body")]
    [InlineData("open_pr", """{"title":"a","body":"b","repo":"acme/other"}""", "repo")]
    [InlineData("open_pr", """{"title":"a","body":"b","branch":"--force"}""", "branch")]
    [InlineData("open_pr", """{"title":"a","body":"b","branch":"main;id"}""", "branch")]
    [InlineData("update_pr", """{"summary":"s","pr":0}""", "pr")]
    [InlineData("update_pr", """{"summary":"s","pr":"7"}""", "pr")]
    [InlineData("reply_to_review", """{"remark":"../../x y","body":"b","disposition":"fixed"}""", "remark")]
    [InlineData("reply_to_review", """{"remark":"1","body":"b","disposition":"resolved"}""", "disposition")]
    [InlineData("post_review", """{"event":"merge","body":"b"}""", "event")]
    [InlineData("post_review", """{"event":"comment","body":"b","comments":[{"path":"../x","line":1,"body":"b"}]}""", "comments[0].path")]
    [InlineData("post_review", """{"event":"comment","body":"b","comments":[{"path":"a/../x","line":1,"body":"b"}]}""", "comments[0].path")]
    [InlineData("post_review", """{"event":"comment","body":"b","comments":[{"path":"a/./x","line":1,"body":"b"}]}""", "comments[0].path")]
    [InlineData("post_review", """{"event":"comment","body":"b","comments":[{"path":"a/..","line":1,"body":"b"}]}""", "comments[0].path")]
    [InlineData("post_review", """{"event":"comment","body":"b","comments":[{"path":"a//b","line":1,"body":"b"}]}""", "comments[0].path")]
    [InlineData("post_review", """{"event":"comment","body":"b","comments":[{"path":"/etc/passwd","line":1,"body":"b"}]}""", "comments[0].path")]
    [InlineData("post_review", """{"event":"comment","body":"b","comments":[{"path":"a\\b","line":1,"body":"b"}]}""", "comments[0].path")]
    [InlineData("post_review", """{"event":"comment","body":"b","comments":[{"path":"-x","line":1,"body":"b"}]}""", "comments[0].path")]
    [InlineData("post_review", """{"event":"comment","body":"b","comments":[{"path":"a","line":0,"body":"b"}]}""", "comments[0].line")]
    [InlineData("upload_image", """{"filename":"../a.png","data":"iVBO"}""", "filename")]
    [InlineData("upload_image", """{"filename":"a.svg","data":"iVBO"}""", "filename")]
    [InlineData("upload_image", """{"filename":"a.png","data":"data:image/png;base64,AAAA"}""", "data")]
    [InlineData("submit_verdict", """{"verdict":"PASS","summary":"s","findings":[]}""", "verdict")]
    [InlineData("submit_verdict", """{"verdict":"pass","summary":"s"}""", "findings")]
    [InlineData("report_progress", """{"text":"x","percent":101}""", "percent")]
    [InlineData("ask_human", """{"question":"q","options":["a","b","c","d","e","f","g"]}""", "options")]
    public void Tool_NamesTheMemberThatItRefuses(string tool, string arguments, string member) =>
        Assert.StartsWith(member + ":", Assert.Single(Problems(tool, arguments)), StringComparison.Ordinal);

    [Fact]
    public void UploadImage_TakesFiveMebibytesAndNotAByteMore()
    {
        var largest = Convert.ToBase64String(new byte[5 << 20]);

        Assert.Empty(Problems("upload_image", $$"""{"filename":"a.png","data":"{{largest}}"}"""));
        Assert.Single(Problems("upload_image", $$"""{"filename":"a.png","data":"{{largest}}AAAA"}"""));
    }

    private static IReadOnlyList<string> Problems(string tool, string arguments)
    {
        using var parsed = JsonDocument.Parse(arguments);
        return new SchemaCheck(ToolCatalogue.Find(tool)!.InputSchema).Problems(parsed.RootElement);
    }

    private static IEnumerable<string> Members(JsonElement schema) =>
        schema.GetProperty("properties").EnumerateObject().Select(member => member.Name);
}
