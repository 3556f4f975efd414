using System.Text.Json.Nodes;

namespace Drella.Forge.GraphQl;

/// <summary>A GraphQL document that could not be read or run; the message goes to the client.</summary>
internal sealed class GraphQlError(string message) : Exception(message);

internal abstract record Selection;

internal sealed record FieldSelection(string Name, string Alias, IReadOnlyDictionary<string, Argument> Arguments, IReadOnlyList<Selection> Selections) : Selection;

internal sealed record FragmentSpread(string Name) : Selection;

internal sealed record InlineFragment(string? On, IReadOnlyList<Selection> Selections) : Selection;

/// <summary>A value in the text: a variable, a literal, or a list or object of these.</summary>
internal abstract record Argument
{
    public sealed record Variable(string Name) : Argument;

    public sealed record Literal(JsonNode? Value) : Argument;

    public sealed record List(IReadOnlyList<Argument> Items) : Argument;

    public sealed record Fields(IReadOnlyDictionary<string, Argument> Items) : Argument;
}

internal sealed record Operation(
    string Kind, string? Name, IReadOnlyDictionary<string, (bool Required, Argument? Default)> Variables, IReadOnlyList<Selection> Selections);

internal sealed record Document(IReadOnlyList<Operation> Operations, IReadOnlyDictionary<string, InlineFragment> Fragments);
