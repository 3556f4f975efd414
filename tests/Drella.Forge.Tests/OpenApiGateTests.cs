using System.Text;
using Drella.Testing.OpenApi;

namespace Drella.Forge.Tests;

public sealed class OpenApiGateTests
{
    private static byte[] Json(string text) => Encoding.UTF8.GetBytes(text);

    [Fact]
    public void Response_NamesWhatIsMissingAndWhatIsOfAnotherType()
    {
        var problems = OpenApiGate.Load().ValidateResponse(
            "GET", "/api/v3/repos/o/r/labels/x", 200, "application/json", Json("""{"id":"7","node_id":"n","url":"nowhere","name":"x","description":null,"color":"00ff00"}"""));

        Assert.Equal(["$.default: missing", "$.id: String, expected integer", "$.url: \"nowhere\" is no uri"], problems);
    }

    [Theory]
    [InlineData("GET", "/repos/o/r/unknown", 200)]
    [InlineData("GET", "/repos/o/r/labels", 202)]
    [InlineData("GET", "/repos/o/r/labels", 500)]
    public void Response_OutsideTheDescriptionIsAProblem(string method, string path, int status) =>
        Assert.NotEmpty(OpenApiGate.Load().ValidateResponse(method, path, status, "application/json", Json("[]")));

    [Fact]
    public void Request_RefusesFieldsAndQueriesThatAreNotDocumented()
    {
        var gate = OpenApiGate.Load();
        Assert.Empty(gate.ValidateRequest("POST", "/repos/o/r/issues", "application/json", Json("""{"title":"t","labels":["a"]}""")));
        Assert.Equal(["$.tittle: not documented", "$.title: missing"],
            gate.ValidateRequest("POST", "/repos/o/r/issues", "application/json", Json("""{"tittle":"t"}""")).OrderByDescending(p => p.Length));
        Assert.Single(gate.ValidateRequest("GET", "/repos/o/r/issues?since_when=1", null, default));
        Assert.Single(gate.ValidateRequest("GET", "/repos/o/r/issues?state=ajar", null, default));
        Assert.Single(gate.ValidateRequest("POST", "/repos/o/r/issues", "application/json", default));
        Assert.Throws<Xunit.Sdk.TrueException>(gate.AssertClean);
    }

    [Theory]
    [InlineData("/repos/o/r/pulls/comments/5", "GET /repos/{owner}/{repo}/pulls/comments/{comment_id}")]
    [InlineData("/repos/o/r/commits/a/b/status", "GET /repos/{owner}/{repo}/commits/{ref}/status")]
    [InlineData("/repos/o/r/contents/a/b.txt", "GET /repos/{owner}/{repo}/contents/{path}")]
    [InlineData("/repos/o/r/git/ref/heads/x/y", "GET /repos/{owner}/{repo}/git/ref/{ref}")]
    public void Match_TakesTheMostLiteralTemplate(string path, string expected) => Assert.Equal(expected, OpenApiGate.Load().Match("GET", path)?.Name);
}
