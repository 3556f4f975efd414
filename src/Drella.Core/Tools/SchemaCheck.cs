using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Drella.Core.Tools;

/// <summary>
/// Checks a tool's arguments against its schema. Knows the small part of JSON Schema that our tools are written in and throws
/// <see cref="InvalidOperationException"/> on any other keyword, so that no bound is written down and not held. Immutable and thread-safe.
/// </summary>
public sealed class SchemaCheck
{
    private const int MaxProblems = 10;
    private static readonly TimeSpan MatchTimeout = TimeSpan.FromSeconds(2);

    private readonly Node root;

    /// <summary>Reads the schema once.</summary>
    public SchemaCheck(JsonElement schema) => root = Node.Read(schema);

    /// <summary>What is wrong, a sentence each that names the member; empty when the arguments are good. At most ten.</summary>
    public IReadOnlyList<string> Problems(JsonElement arguments)
    {
        var problems = new List<string>();
        root.Check(arguments, "", problems);
        return problems;
    }

    private abstract class Node
    {
        private static readonly HashSet<string> Annotations = ["description", "title"];

        public static Node Read(JsonElement schema)
        {
            var keywords = schema.EnumerateObject().Where(member => !Annotations.Contains(member.Name)).ToDictionary(member => member.Name, member => member.Value);
            if (!keywords.Remove("type", out var type))
            {
                throw new InvalidOperationException("a schema without a type");
            }

            Node node = type.GetString() switch
            {
                "object" => new ObjectNode(keywords),
                "array" => new ArrayNode(keywords),
                "string" => new StringNode(keywords),
                "integer" => new IntegerNode(keywords),
                "boolean" => new BooleanNode(),
                var other => throw new InvalidOperationException($"schema type '{other}' is not known"),
            };
            return keywords.Count == 0 ? node : throw new InvalidOperationException($"schema keyword '{keywords.Keys.First()}' is not known");
        }

        public abstract void Check(JsonElement value, string path, List<string> problems);

        protected static int Take(Dictionary<string, JsonElement> keywords, string name, int otherwise) =>
            keywords.Remove(name, out var value) ? value.GetInt32() : otherwise;

        protected static void Report(List<string> problems, string path, string problem)
        {
            if (problems.Count < MaxProblems)
            {
                problems.Add($"{(path.Length == 0 ? "arguments" : path)}: {problem}");
            }
        }

        protected static bool Is(JsonElement value, JsonValueKind kind, string word, string path, List<string> problems)
        {
            if (value.ValueKind == kind)
            {
                return true;
            }

            Report(problems, path, $"must be {word}");
            return false;
        }
    }

    private sealed class ObjectNode : Node
    {
        private readonly Dictionary<string, Node> members = new(StringComparer.Ordinal);
        private readonly string[] required = [];

        public ObjectNode(Dictionary<string, JsonElement> keywords)
        {
            if (!keywords.Remove("additionalProperties", out var additional) || additional.ValueKind != JsonValueKind.False)
            {
                throw new InvalidOperationException("an object schema must be closed");
            }

            if (keywords.Remove("properties", out var properties))
            {
                members = properties.EnumerateObject().ToDictionary(member => member.Name, member => Read(member.Value), StringComparer.Ordinal);
            }

            if (keywords.Remove("required", out var names))
            {
                required = [.. names.EnumerateArray().Select(name => name.GetString()!)];
            }
        }

        public override void Check(JsonElement value, string path, List<string> problems)
        {
            if (!Is(value, JsonValueKind.Object, "an object", path, problems))
            {
                return;
            }

            var seen = new HashSet<string>(StringComparer.Ordinal);
            foreach (var member in value.EnumerateObject())
            {
                var name = path.Length == 0 ? Shown(member.Name) : $"{path}.{Shown(member.Name)}";
                if (!seen.Add(member.Name))
                {
                    Report(problems, name, "is given twice");
                }
                else if (members.TryGetValue(member.Name, out var node))
                {
                    node.Check(member.Value, name, problems);
                }
                else
                {
                    Report(problems, name, members.Count == 0 ? "is not known; there are no members" : $"is not known; members are {string.Join(", ", members.Keys)}");
                }
            }

            foreach (var name in required.Where(name => !seen.Contains(name)))
            {
                Report(problems, path.Length == 0 ? name : $"{path}.{name}", "is missing");
            }
        }

        private static string Shown(string name)
        {
            var shown = new string([.. name.Take(40).Select(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' ? c : '?')]);
            return shown.Length == 0 ? "''" : shown;
        }
    }

    private sealed class ArrayNode(Dictionary<string, JsonElement> keywords) : Node
    {
        private readonly int min = Take(keywords, "minItems", 0);
        private readonly int max = Take(keywords, "maxItems", -1) is >= 0 and var bound ? bound : throw new InvalidOperationException("an array schema needs maxItems");
        private readonly Node items = keywords.Remove("items", out var schema) ? Read(schema) : throw new InvalidOperationException("an array schema needs items");

        public override void Check(JsonElement value, string path, List<string> problems)
        {
            if (!Is(value, JsonValueKind.Array, "an array", path, problems))
            {
                return;
            }

            var length = value.GetArrayLength();
            if (length < min || length > max)
            {
                Report(problems, path, length < min ? $"needs at least {min} items" : $"has more than {max} items");
                return;
            }

            var index = 0;
            foreach (var item in value.EnumerateArray())
            {
                items.Check(item, string.Create(CultureInfo.InvariantCulture, $"{path}[{index++}]"), problems);
            }
        }
    }

    private sealed class StringNode : Node
    {
        private readonly int min;
        private readonly int max;
        private readonly string[]? values;
        private readonly Regex? pattern;

        public StringNode(Dictionary<string, JsonElement> keywords)
        {
            values = keywords.Remove("enum", out var names) ? [.. names.EnumerateArray().Select(name => name.GetString()!)] : null;
            min = Take(keywords, "minLength", 0);
            max = Take(keywords, "maxLength", values is null ? -1 : int.MaxValue);
            if (max < 0)
            {
                throw new InvalidOperationException("a string schema needs maxLength or enum");
            }

            if (keywords.Remove("pattern", out var text))
            {
                // In JSON Schema the dollar is the very end; in .NET it also stands before a last line feed.
                var expression = text.GetString()!;
                if (!expression.StartsWith('^') || !expression.EndsWith('$'))
                {
                    throw new InvalidOperationException("a pattern must be anchored");
                }

                pattern = new Regex(expression[..^1] + @"\z", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, MatchTimeout);
            }
        }

        public override void Check(JsonElement value, string path, List<string> problems)
        {
            if (!Is(value, JsonValueKind.String, "a string", path, problems))
            {
                return;
            }

            if (!TryGetText(value, out var text))
            {
                Report(problems, path, "is not valid Unicode");
                return;
            }

            if (values is not null)
            {
                if (!values.Contains(text, StringComparer.Ordinal))
                {
                    Report(problems, path, $"must be one of {string.Join(", ", values)}");
                }

                return;
            }

            var length = Length(text);
            if (length < min || length > max)
            {
                Report(problems, path, length < min
                    ? min == 1 ? "must not be empty" : $"is shorter than {min} characters"
                    : $"is longer than {max} characters ({length})");
                return;
            }

            if (pattern is not null && !pattern.IsMatch(text))
            {
                Report(problems, path, "contains characters or a form that is not allowed");
            }
        }

        // JSON Schema counts code points.
        private static int Length(string text)
        {
            var count = 0;
            foreach (var _ in text.EnumerateRunes())
            {
                count++;
            }

            return count;
        }

        private static bool TryGetText(JsonElement value, out string text)
        {
            try
            {
                text = value.GetString()!;
                return true;
            }
            catch (InvalidOperationException)
            {
                // An escape such as "\ud800" stands for no character.
                text = "";
                return false;
            }
        }
    }

    private sealed class IntegerNode(Dictionary<string, JsonElement> keywords) : Node
    {
        private readonly int min = Take(keywords, "minimum", int.MinValue);
        private readonly int max = Take(keywords, "maximum", int.MaxValue);

        public override void Check(JsonElement value, string path, List<string> problems)
        {
            // 1.0 and 1e2 are refused: other readers of the same text would take them for something else.
            if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt64(out var number))
            {
                Report(problems, path, "must be an integer");
            }
            else if (number < min || number > max)
            {
                Report(problems, path, number < min ? $"must be at least {min}" : $"must be at most {max}");
            }
        }
    }

    private sealed class BooleanNode : Node
    {
        public override void Check(JsonElement value, string path, List<string> problems)
        {
            if (value.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
            {
                Report(problems, path, "must be true or false");
            }
        }
    }
}
