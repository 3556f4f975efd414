using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Drella.Forge.GraphQl;

/// <summary>Reads a GraphQL document, bounded in length, token count and depth.</summary>
internal sealed partial class Parser
{
    private const int MaxLength = 64 * 1024;
    private const int MaxTokens = 5000;
    private const int MaxDepth = 20;

    private readonly List<string> _tokens;
    private int _at;
    private int _depth;

    private Parser(string text)
    {
        if (text.Length > MaxLength)
        {
            throw new GraphQlError("The query is too long");
        }

        _tokens = Tokenise(text);
    }

    public static Document Parse(string text)
    {
        var parser = new Parser(text);
        var operations = new List<Operation>();
        var fragments = new Dictionary<string, InlineFragment>(StringComparer.Ordinal);
        while (parser._at < parser._tokens.Count)
        {
            if (parser.Peek() == "fragment")
            {
                parser._at++;
                var name = parser.Name();
                parser.Expect("on");
                fragments[name] = new InlineFragment(parser.Name(), parser.Selections());
            }
            else
            {
                operations.Add(parser.ReadOperation());
            }
        }

        return new Document(operations, fragments);
    }

    private static List<string> Tokenise(string text)
    {
        var tokens = new List<string>();
        var at = 0;
        while (at < text.Length)
        {
            var match = Token().Match(text, at);
            if (!match.Success)
            {
                throw new GraphQlError($"Unexpected character '{text[at]}'");
            }

            at += match.Length;
            if (!match.Groups["skip"].Success)
            {
                tokens.Add(match.Value);
            }

            if (tokens.Count > MaxTokens)
            {
                throw new GraphQlError("The query has too many tokens");
            }
        }

        return tokens;
    }

    private string Peek() => _at < _tokens.Count ? _tokens[_at] : "";

    private string Next() => _at < _tokens.Count ? _tokens[_at++] : throw new GraphQlError("Unexpected end of the query");

    private bool Take(string token)
    {
        if (Peek() != token)
        {
            return false;
        }

        _at++;
        return true;
    }

    private void Expect(string token)
    {
        if (Next() is { } found && found != token)
        {
            throw new GraphQlError($"Expected {token}, found {found}");
        }
    }

    private string Name()
    {
        var token = Next();
        return char.IsAsciiLetter(token[0]) || token[0] == '_' ? token : throw new GraphQlError($"Expected a name, found {token}");
    }

    private Operation ReadOperation()
    {
        if (Peek() == "{")
        {
            return new Operation("query", null, new Dictionary<string, (bool, Argument?)>(StringComparer.Ordinal), Selections());
        }

        var kind = Name();
        if (kind is not ("query" or "mutation"))
        {
            throw new GraphQlError($"Unknown operation {kind}");
        }

        var name = Peek() is "(" or "{" ? null : Name();
        var variables = new Dictionary<string, (bool, Argument?)>(StringComparer.Ordinal);
        if (Take("("))
        {
            while (!Take(")"))
            {
                Expect("$");
                var variable = Name();
                Expect(":");
                var required = TypeIsRequired();
                variables[variable] = (required, Take("=") ? Value() : null);
            }
        }

        return new Operation(kind, name, variables, Selections());
    }

    private bool TypeIsRequired()
    {
        Enter();
        if (Take("["))
        {
            TypeIsRequired();
            Expect("]");
        }
        else
        {
            Name();
        }

        _depth--;
        return Take("!");
    }

    private List<Selection> Selections()
    {
        Enter();
        Expect("{");
        var result = new List<Selection>();
        while (!Take("}"))
        {
            result.Add(Selection());
        }

        _depth--;
        return result.Count > 0 ? result : throw new GraphQlError("A selection is empty");
    }

    private Selection Selection()
    {
        if (Take("..."))
        {
            if (Peek() is "{" or "on")
            {
                return new InlineFragment(Take("on") ? Name() : null, Selections());
            }

            return new FragmentSpread(Name());
        }

        var alias = Name();
        var name = Take(":") ? Name() : alias;
        var arguments = new Dictionary<string, Argument>(StringComparer.Ordinal);
        if (Take("("))
        {
            while (!Take(")"))
            {
                var argument = Name();
                Expect(":");
                arguments[argument] = Value();
            }
        }

        return new FieldSelection(name, alias, arguments, Peek() == "{" ? Selections() : []);
    }

    private Argument Value()
    {
        Enter();
        var token = Next();
        Argument value = token switch
        {
            "$" => new Argument.Variable(Name()),
            "[" => List(),
            "{" => Fields(),
            "true" or "false" => new Argument.Literal(token == "true"),
            "null" => new Argument.Literal(null),
            _ when token.StartsWith("\"\"\"", StringComparison.Ordinal) => new Argument.Literal(token[3..^3].Trim('\n')),
            _ when token[0] == '"' => Text(token),
            _ when char.IsAsciiDigit(token[0]) || token[0] == '-' => Number(token),
            _ when char.IsAsciiLetter(token[0]) => new Argument.Literal(token),
            _ => throw new GraphQlError($"Unexpected {token}"),
        };
        _depth--;
        return value;
    }

    private Argument.List List()
    {
        var items = new List<Argument>();
        while (!Take("]"))
        {
            items.Add(Value());
        }

        return new Argument.List(items);
    }

    private Argument.Fields Fields()
    {
        var items = new Dictionary<string, Argument>(StringComparer.Ordinal);
        while (!Take("}"))
        {
            var name = Name();
            Expect(":");
            items[name] = Value();
        }

        return new Argument.Fields(items);
    }

    // A GraphQL string has JSON's escapes.
    private static Argument.Literal Text(string token)
    {
        try
        {
            return new Argument.Literal(JsonNode.Parse(token));
        }
        catch (System.Text.Json.JsonException)
        {
            throw new GraphQlError("A string could not be read");
        }
    }

    private static Argument.Literal Number(string token) =>
        long.TryParse(token, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) ? new Argument.Literal(whole)
        : double.TryParse(token, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? new Argument.Literal(number)
        : throw new GraphQlError($"Unexpected {token}");

    private void Enter()
    {
        if (++_depth > MaxDepth)
        {
            throw new GraphQlError("The query is too deep");
        }
    }

    [GeneratedRegex("""\G(?:(?<skip>[\s,\uFEFF]+|\#[^\n]*)|\.\.\.|[A-Za-z_][A-Za-z0-9_]*|-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|[""][""][""](?:[^"]|"(?!""))*[""][""][""]|"(?:[^"\\\n]|\\.)*"|[!$()\[\]{}:=|@&])""", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Token();
}
