using System.Text.Json;
using Drella.Core.Tools;

namespace Drella.Core.Tests.Tools;

public sealed class SchemaCheckTests
{
    private const string Schema = """
        {"type":"object","additionalProperties":false,"required":["name"],"properties":{
          "name":{"type":"string","minLength":1,"maxLength":5,"pattern":"^[a-z\\u0000-\\u0001]*$"},
          "kind":{"type":"string","enum":["a","b"]},
          "count":{"type":"integer","minimum":0,"maximum":10},
          "on":{"type":"boolean"},
          "items":{"type":"array","minItems":1,"maxItems":2,"items":{"type":"object","additionalProperties":false,"required":["x"],
            "properties":{"x":{"type":"string","maxLength":2}}}}}}
        """;

    [Theory]
    [InlineData("""{"name":"abc"}""")]
    [InlineData("""{"name":"abc","kind":"b","count":10,"on":false,"items":[{"x":""},{"x":"yy"}]}""")]
    [InlineData("""{"name":"a","items":[{"x":"😀😀"}]}""")]
    public void Arguments_PassWhenTheyKeepTheSchema(string arguments) => Assert.Empty(Problems(Schema, arguments));

    [Theory]
    [InlineData("{}", "name: is missing")]
    [InlineData("[]", "arguments: must be an object")]
    [InlineData("null", "arguments: must be an object")]
    [InlineData("""{"name":null}""", "name: must be a string")]
    [InlineData("""{"name":["a"]}""", "name: must be a string")]
    [InlineData("""{"name":""}""", "name: must not be empty")]
    [InlineData("""{"name":"abcdef"}""", "name: is longer than 5 characters (6)")]
    [InlineData("""{"name":"ABC"}""", "name: contains characters or a form that is not allowed")]
    [InlineData("""{"name":"ab\n"}""", "name: contains characters or a form that is not allowed")]
    [InlineData("""{"name":"\ud800"}""", "name: is not valid Unicode")]
    [InlineData("""{"name":"a","name":"b"}""", "name: is given twice")]
    [InlineData("""{"name":"a","Name":"b"}""", "Name: is not known; members are name, kind, count, on, items")]
    [InlineData("""{"name":"a","__proto__":{}}""", "__proto__: is not known; members are name, kind, count, on, items")]
    [InlineData("""{"name":"a","kind":"A"}""", "kind: must be one of a, b")]
    [InlineData("""{"name":"a","count":11}""", "count: must be at most 10")]
    [InlineData("""{"name":"a","count":-1}""", "count: must be at least 0")]
    [InlineData("""{"name":"a","count":1.0}""", "count: must be an integer")]
    [InlineData("""{"name":"a","count":1e400}""", "count: must be an integer")]
    [InlineData("""{"name":"a","count":"1"}""", "count: must be an integer")]
    [InlineData("""{"name":"a","count":9007199254740993}""", "count: must be at most 10")]
    [InlineData("""{"name":"a","on":"true"}""", "on: must be true or false")]
    [InlineData("""{"name":"a","items":[]}""", "items: needs at least 1 items")]
    [InlineData("""{"name":"a","items":[{"x":""},{"x":""},{"x":""}]}""", "items: has more than 2 items")]
    [InlineData("""{"name":"a","items":[{"x":""},{}]}""", "items[1].x: is missing")]
    [InlineData("""{"name":"a","items":[{"x":"", "y":1}]}""", "items[0].y: is not known; members are x")]
    public void Arguments_AreRefusedWithTheMemberThatIsWrong(string arguments, string problem) =>
        Assert.Equal([problem], Problems(Schema, arguments));

    [Fact]
    public void Problems_AreBoundedAndHoldNothingHostile()
    {
        var arguments = "{\"name\":\"a\"," + string.Join(',', Enumerable.Range(0, 1000).Select(i => $"\"\\u001b[31m{i}\\n{new string('x', 500)}\":1")) + "}";

        var problems = Problems(Schema, arguments);

        Assert.Equal(10, problems.Count);
        Assert.All(problems, problem => Assert.DoesNotContain(problem, char.IsControl));
        Assert.All(problems, problem => Assert.True(problem.Length < 200));
    }

    [Theory]
    [InlineData("""{"type":"object","properties":{}}""")]
    [InlineData("""{"type":"object","additionalProperties":true}""")]
    [InlineData("""{"type":"object","additionalProperties":false,"minProperties":1}""")]
    [InlineData("""{"type":"string"}""")]
    [InlineData("""{"type":"string","maxLength":3,"format":"uri"}""")]
    [InlineData("""{"type":"string","maxLength":3,"pattern":"a+"}""")]
    [InlineData("""{"type":"array","items":{"type":"boolean"}}""")]
    [InlineData("""{"type":"number"}""")]
    [InlineData("""{"anyOf":[]}""")]
    public void Schema_IsRefusedWhenABoundIsMissingOrUnknown(string schema)
    {
        using var document = JsonDocument.Parse(schema);

        Assert.Throws<InvalidOperationException>(() => new SchemaCheck(document.RootElement));
    }

    private static IReadOnlyList<string> Problems(string schema, string arguments)
    {
        using var parsedSchema = JsonDocument.Parse(schema);
        using var parsed = JsonDocument.Parse(arguments);
        return new SchemaCheck(parsedSchema.RootElement).Problems(parsed.RootElement);
    }
}
