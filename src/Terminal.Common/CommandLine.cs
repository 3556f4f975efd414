using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;

namespace Terminal.Common;

/// <summary>
/// From arguments to an exit code. A command line that cannot be understood is talk and exits with 2: standard output stays empty for whoever reads it.
/// </summary>
public static class CommandLine
{
    public const int Misunderstood = 2;
    private const int MaxWord = 60;
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(30);

    public static Task<int> RunAsync(string program, RootCommand root, IReadOnlyList<string> arguments, TextWriter output, TextWriter talk, CancellationToken cancellationToken)
    {
        // No response files: an argument that begins with '@' is that argument, not a file to take further arguments from.
        var parsed = root.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Action is ParseErrorAction)
        {
            foreach (var line in Explain(program, parsed))
            {
                talk.WriteLine(line);
            }

            return Task.FromResult(Misunderstood);
        }

        return parsed.InvokeAsync(
            new InvocationConfiguration { Output = output, Error = talk, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = Farewell }, cancellationToken);
    }

    private static IEnumerable<string> Explain(string program, ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var name = NameOf(program, parsed.CommandResult);
        var verbs = command.Subcommands.Where(verb => !verb.Hidden).Select(verb => verb.Name).ToList();
        if (verbs.Count > 0)
        {
            var word = parsed.UnmatchedTokens.Count > 0 ? parsed.UnmatchedTokens[0] : null;
            var known = word?.StartsWith('-') == true ? Options(parsed.CommandResult) : verbs;
            yield return word is null ? $"{name}: a verb is missing; there are {string.Join(", ", verbs)}" : Unknown(name, word, known);
        }
        else
        {
            foreach (var word in parsed.UnmatchedTokens)
            {
                yield return Unknown(name, word, Options(parsed.CommandResult));
            }

            foreach (var error in parsed.Errors.Where(error => error.SymbolResult is not System.CommandLine.Parsing.CommandResult || parsed.UnmatchedTokens.Count == 0))
            {
                yield return $"{name}: {Plain(string.Join(' ', error.Message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)), 300)}";
            }
        }

        yield return $"See '{name} --help'.";
    }

    private static string Unknown(string name, string word, IEnumerable<string> known)
    {
        var near = Nearest.To(word, known);
        return $"{name}: '{Plain(word, MaxWord)}' is not known{(near is null ? "" : $"; did you mean '{near}'?")}";
    }

    private static IEnumerable<string> Options(CommandResult result)
    {
        for (SymbolResult? at = result; at is not null; at = at.Parent)
        {
            foreach (var option in (at as CommandResult)?.Command.Options.Where(option => !option.Hidden && (at == result || option.Recursive)) ?? [])
            {
                yield return option.Name;
            }
        }
    }

    private static string NameOf(string program, CommandResult result) => result.Parent is CommandResult parent ? $"{NameOf(program, parent)} {result.Command.Name}" : program;

    private static string Plain(string text, int max) =>
        string.Concat(text.Take(max).Select(letter => char.IsControl(letter) || char.GetUnicodeCategory(letter) == System.Globalization.UnicodeCategory.Format ? '?' : letter)) + (text.Length > max ? "…" : "");
}
