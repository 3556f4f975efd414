namespace Drella.Forge.Tests;

public sealed class GraphQlTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("{ viewer { login shoeSize } }", "shoeSize")]
    [InlineData("{ viewer }", "selections")]
    [InlineData("{ viewer { login { x } } }", "no selections")]
    [InlineData("{ viewer { login ", "end of the query")]
    [InlineData("query($a: ID!) { node(id: $a) { id } }", "$a")]
    [InlineData("{ node(id: \"nonsense\") { id } }", "resolve")]
    [InlineData("{ ...Missing }", "Missing")]
    [InlineData("subscription { x }", "subscription")]
    [InlineData("{ viewer { login } } % ", "%")]
    public async Task Query_ThatIsWrongGivesAnErrorAndNoData(string query, string reason)
    {
        await using var forge = await ForgeHost.StartAsync(Stop);

        var answer = await forge.GraphQl(query);

        Assert.Null(answer["data"]);
        Assert.Contains(reason, answer["errors"]![0]!["message"]!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Query_IsBoundedInDepthAndByFragmentsThatCallThemselves()
    {
        await using var forge = await ForgeHost.StartAsync(Stop);
        Assert.NotNull((await forge.GraphQl(string.Concat(Enumerable.Repeat("{ a ", 1000)) + new string('}', 1000)))["errors"]);
        Assert.NotNull((await forge.GraphQl("{ viewer { ...F } } fragment F on User { login ...F }"))["errors"]);
        Assert.NotNull((await forge.GraphQl("{" + string.Concat(Enumerable.Range(0, 6000).Select(i => $" a{i}: viewer {{ login }}")) + "}"))["errors"]);
    }

    [Fact]
    public async Task Draft_IsToggledByTheNodeOfAnotherFieldAlias()
    {
        await using var forge = await ForgeHost.StartAsync(Stop);
        await forge.Commit("feature", "b.txt", "x\n");
        var n = await forge.Pull("feature");
        var id = (await forge.Get($"/repos/octo/app/pulls/{n}"))["node_id"].ToString();

        await forge.GraphQl("mutation { convertPullRequestToDraft(input: {pullRequestId: \"" + id + "\"}) { pullRequest { isDraft } } }", null, "dev");

        var node = await forge.GraphQl("query($id: ID!) { me: viewer { name: login } node(id: $id) { __typename ... on PullRequest { isDraft state } ... on Issue { nope } } }", new { id });
        Assert.Equal("octo", node["data"]!["me"]!["name"]!.ToString());
        Assert.True((bool)node["data"]!["node"]!["isDraft"]!);
        Assert.Equal("PullRequest", node["data"]!["node"]!["__typename"]!.ToString());
        var hidden = await forge.GraphQl("query($id: ID!) { node(id: $id) { id } }", new { id }, "stranger");
        Assert.Equal("NOT_FOUND", hidden["errors"]![0]!["type"]!.ToString());
    }
}
