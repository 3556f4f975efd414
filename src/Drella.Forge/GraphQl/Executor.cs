using System.Text.Json.Nodes;

namespace Drella.Forge.GraphQl;

/// <summary>A type of the schema: its name and how each field is answered. Unknown fields are errors, never null.</summary>
internal sealed record ObjectType(string Name)
{
    public Dictionary<string, Resolver> Fields { get; } = new(StringComparer.Ordinal);
}

/// <summary>Answers a field from the object it stands on: a scalar, a <see cref="Resolved"/> object, or a list of them.</summary>
internal delegate Task<object?> Resolver(GraphQlContext context, object source, IReadOnlyDictionary<string, JsonNode?> arguments);

internal sealed record Resolved(ObjectType Type, object Source);

/// <summary>Runs one operation of a document.</summary>
internal sealed class Executor(Document document, IReadOnlyDictionary<string, JsonNode?> variables, GraphQlContext context)
{
    private const int MaxFields = 20_000;

    private int _fields;

    public Task<JsonObject> RunAsync(Operation operation, ObjectType root) => ObjectAsync(new Resolved(root, context), operation.Selections, 0);

    private async Task<JsonObject> ObjectAsync(Resolved target, IReadOnlyList<Selection> selections, int depth)
    {
        if (depth > 30)
        {
            throw new GraphQlError("The query is too deep");
        }

        var json = new JsonObject();
        await FillAsync(json, target, selections, depth);
        return json;
    }

    private async Task FillAsync(JsonObject json, Resolved target, IReadOnlyList<Selection> selections, int depth)
    {
        if (depth > 30)
        {
            throw new GraphQlError("The query is too deep");
        }

        foreach (var selection in selections)
        {
            switch (selection)
            {
                case FieldSelection field:
                    json[field.Alias] = await FieldAsync(target, field, depth);
                    break;
                case InlineFragment inline when inline.On is null || inline.On == target.Type.Name || inline.On == "Node":
                    await FillAsync(json, target, inline.Selections, depth + 1);
                    break;
                case FragmentSpread spread:
                    var fragment = document.Fragments.GetValueOrDefault(spread.Name) ?? throw new GraphQlError($"Unknown fragment {spread.Name}");
                    if (fragment.On == target.Type.Name || fragment.On == "Node")
                    {
                        await FillAsync(json, target, fragment.Selections, depth + 1);
                    }

                    break;
                default:
                    break;
            }
        }
    }

    private async Task<JsonNode?> FieldAsync(Resolved target, FieldSelection field, int depth)
    {
        if (++_fields > MaxFields)
        {
            throw new GraphQlError("The query asks for too many fields");
        }

        if (field.Name == "__typename")
        {
            return target.Type.Name;
        }

        var resolver = target.Type.Fields.GetValueOrDefault(field.Name)
            ?? throw new GraphQlError($"Field '{field.Name}' doesn't exist on type '{target.Type.Name}'");
        var arguments = field.Arguments.ToDictionary(a => a.Key, a => Evaluate(a.Value), StringComparer.Ordinal);
        return await ShapeAsync(await resolver(context, target.Source, arguments), field, depth);
    }

    private async Task<JsonNode?> ShapeAsync(object? value, FieldSelection field, int depth)
    {
        switch (value)
        {
            case null:
                return null;
            case Resolved resolved when field.Selections.Count == 0:
                throw new GraphQlError($"Field '{field.Name}' must have selections of '{resolved.Type.Name}'");
            case Resolved resolved:
                return await ObjectAsync(resolved, field.Selections, depth + 1);
            case IReadOnlyList<Resolved> list:
                var array = new JsonArray();
                foreach (var item in list)
                {
                    array.Add(await ShapeAsync(item, field, depth));
                }

                return array;
            default:
                return field.Selections.Count == 0 ? JsonValue.Create(value) : throw new GraphQlError($"Field '{field.Name}' has no selections");
        }
    }

    private JsonNode? Evaluate(Argument argument) => argument switch
    {
        Argument.Literal literal => literal.Value?.DeepClone(),
        Argument.Variable variable => variables.TryGetValue(variable.Name, out var value)
            ? value?.DeepClone()
            : throw new GraphQlError($"Variable ${variable.Name} is not declared"),
        Argument.List list => new JsonArray([.. list.Items.Select(Evaluate)]),
        Argument.Fields fields => new JsonObject(fields.Items.Select(f => KeyValuePair.Create(f.Key, Evaluate(f.Value)))),
        _ => null,
    };

    /// <summary>The variables of an operation: given, else default; a missing required one is an error.</summary>
    public static IReadOnlyDictionary<string, JsonNode?> Variables(Operation operation, JsonObject? given)
    {
        var result = new Dictionary<string, JsonNode?>(StringComparer.Ordinal);
        foreach (var (name, (required, fallback)) in operation.Variables)
        {
            JsonNode? value = null;
            var present = given is not null && given.TryGetPropertyValue(name, out value);
            result[name] = present ? value : (fallback as Argument.Literal)?.Value;
            if (required && result[name] is null)
            {
                throw new GraphQlError($"Variable ${name} of required type was not provided");
            }
        }

        return result;
    }
}
