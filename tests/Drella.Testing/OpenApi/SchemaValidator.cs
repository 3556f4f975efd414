using System.Globalization;
using System.Text.Json;

namespace Drella.Testing.OpenApi;

/// <summary>
/// Checks a JSON value against an OpenAPI 3.0 schema. Knows the keywords the subset document uses; <c>oneOf</c> is taken as "at least one",
/// because GitHub's own variants overlap. In strict mode a property the schema does not list is a problem.
/// </summary>
public sealed class SchemaValidator(JsonElement document)
{
    public IReadOnlyList<string> Validate(JsonElement schema, JsonElement value, bool strict)
    {
        var problems = new List<string>();
        Check(schema, value, "$", strict, problems);
        return problems;
    }

    /// <summary>Follows a <c>$ref</c> chain inside the document.</summary>
    public JsonElement Resolve(JsonElement node)
    {
        while (node.ValueKind == JsonValueKind.Object && node.TryGetProperty("$ref", out var reference))
        {
            var target = document;
            foreach (var part in reference.GetString()!.Split('/').Skip(1))
            {
                target = target.GetProperty(part.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal));
            }

            node = target;
        }

        return node;
    }

    private void Check(JsonElement schemaOrRef, JsonElement value, string path, bool strict, List<string> problems)
    {
        var schema = Resolve(schemaOrRef);
        if (value.ValueKind == JsonValueKind.Null)
        {
            if (!AllowsNull(schema))
            {
                problems.Add($"{path}: null, expected {Describe(schemaOrRef)}");
            }

            return;
        }

        CheckComposition(schema, value, path, strict, problems);
        if (schema.TryGetProperty("enum", out var allowed) && !allowed.EnumerateArray().Any(a => JsonElement.DeepEquals(a, value)))
        {
            problems.Add($"{path}: {value.GetRawText()} is none of {allowed.GetRawText()}");
        }

        if (schema.TryGetProperty("type", out var type) && !HasType(type.GetString()!, value))
        {
            problems.Add($"{path}: {value.ValueKind}, expected {Describe(schemaOrRef)}");
            return;
        }

        switch (value.ValueKind)
        {
            case JsonValueKind.Object: CheckObject(schema, value, path, strict, problems); break;
            case JsonValueKind.Array: CheckArray(schema, value, path, strict, problems); break;
            case JsonValueKind.String: CheckString(schema, value.GetString()!, path, problems); break;
            case JsonValueKind.Number: CheckNumber(schema, value, path, problems); break;
            default: break;
        }
    }

    private bool AllowsNull(JsonElement schema)
    {
        if (schema.TryGetProperty("nullable", out var nullable) && nullable.GetBoolean())
        {
            return true;
        }

        foreach (var keyword in (ReadOnlySpan<string>)["oneOf", "anyOf"])
        {
            if (schema.TryGetProperty(keyword, out var branches))
            {
                return branches.EnumerateArray().Any(b => AllowsNull(Resolve(b)));
            }
        }

        if (schema.TryGetProperty("allOf", out var all))
        {
            return all.EnumerateArray().All(b => AllowsNull(Resolve(b)));
        }

        return !schema.TryGetProperty("type", out _) && !schema.TryGetProperty("properties", out _);
    }

    private void CheckComposition(JsonElement schema, JsonElement value, string path, bool strict, List<string> problems)
    {
        var branchStrict = strict && !schema.TryGetProperty("properties", out _);
        foreach (var keyword in (ReadOnlySpan<string>)["oneOf", "anyOf"])
        {
            if (!schema.TryGetProperty(keyword, out var branches))
            {
                continue;
            }

            List<string>? best = null;
            foreach (var branch in branches.EnumerateArray())
            {
                var attempt = new List<string>();
                Check(branch, value, path, branchStrict, attempt);
                best = best is null || attempt.Count < best.Count ? attempt : best;
            }

            if (best is { Count: > 0 })
            {
                problems.Add($"{path}: no branch of {keyword} fits; the nearest fails with");
                problems.AddRange(best);
            }
        }

        if (schema.TryGetProperty("allOf", out var all))
        {
            foreach (var branch in all.EnumerateArray())
            {
                Check(branch, value, path, strict: false, problems);
            }
        }
    }

    private void CheckObject(JsonElement schema, JsonElement value, string path, bool strict, List<string> problems)
    {
        var hasProperties = schema.TryGetProperty("properties", out var properties);
        if (schema.TryGetProperty("required", out var required))
        {
            problems.AddRange(required.EnumerateArray().Select(r => r.GetString()!).Where(name => !value.TryGetProperty(name, out _))
                .Select(name => $"{path}.{name}: missing"));
        }

        var hasAdditional = schema.TryGetProperty("additionalProperties", out var additional);
        foreach (var property in value.EnumerateObject())
        {
            var where = $"{path}.{property.Name}";
            if (hasProperties && properties.TryGetProperty(property.Name, out var known))
            {
                Check(known, property.Value, where, strict, problems);
            }
            else if (hasAdditional && additional.ValueKind == JsonValueKind.Object)
            {
                Check(additional, property.Value, where, strict, problems);
            }
            else if ((hasAdditional && additional.ValueKind == JsonValueKind.False) || (strict && hasProperties && !hasAdditional))
            {
                problems.Add($"{where}: not documented");
            }
        }
    }

    private void CheckArray(JsonElement schema, JsonElement value, string path, bool strict, List<string> problems)
    {
        var length = value.GetArrayLength();
        if (schema.TryGetProperty("minItems", out var min) && length < min.GetInt32())
        {
            problems.Add($"{path}: {length} items, at least {min} expected");
        }

        if (schema.TryGetProperty("maxItems", out var max) && length > max.GetInt32())
        {
            problems.Add($"{path}: {length} items, at most {max} expected");
        }

        if (schema.TryGetProperty("items", out var items))
        {
            var index = 0;
            foreach (var item in value.EnumerateArray())
            {
                Check(items, item, $"{path}[{index++}]", strict, problems);
            }
        }
    }

    private static void CheckString(JsonElement schema, string value, string path, List<string> problems)
    {
        if (schema.TryGetProperty("minLength", out var min) && value.Length < min.GetInt32())
        {
            problems.Add($"{path}: shorter than {min}");
        }

        if (schema.TryGetProperty("maxLength", out var max) && value.Length > max.GetInt32())
        {
            problems.Add($"{path}: longer than {max}");
        }

        var good = (schema.TryGetProperty("format", out var format) ? format.GetString() : null) switch
        {
            "date-time" => value.Length >= 20 && value[10] == 'T'
                && DateTimeOffset.TryParse(value, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out _),
            "uri" => Uri.TryCreate(value, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" or "git" or "ssh",
            "email" => value.Contains('@', StringComparison.Ordinal),
            _ => true,
        };
        if (!good)
        {
            problems.Add($"{path}: \"{value}\" is no {format}");
        }
    }

    private static void CheckNumber(JsonElement schema, JsonElement value, string path, List<string> problems)
    {
        if (schema.TryGetProperty("minimum", out var min) && value.GetDouble() < min.GetDouble())
        {
            problems.Add($"{path}: below {min}");
        }

        if (schema.TryGetProperty("maximum", out var max) && value.GetDouble() > max.GetDouble())
        {
            problems.Add($"{path}: above {max}");
        }
    }

    private static bool HasType(string type, JsonElement value) => type switch
    {
        "object" => value.ValueKind == JsonValueKind.Object,
        "array" => value.ValueKind == JsonValueKind.Array,
        "string" => value.ValueKind == JsonValueKind.String,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "integer" => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
        "number" => value.ValueKind == JsonValueKind.Number,
        _ => false,
    };

    private static string Describe(JsonElement schema) =>
        schema.TryGetProperty("$ref", out var reference) ? reference.GetString()!.Split('/')[^1]
        : schema.TryGetProperty("type", out var type) ? type.GetString()!
        : "a composed schema";
}
