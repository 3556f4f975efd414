using System.CommandLine;

namespace Terminal.Common;

/// <summary>Completions for a shell, made from the tree of verbs.</summary>
public static class Completions
{
    public static string Script(string program, string kind, RootCommand root)
    {
        var words = new SortedDictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        Collect(root, "", [.. root.Options.Where(option => option.Recursive).Select(option => option.Name)], words);
        var cases = kind == "fish"
            ? string.Concat(words.Select(entry => Fish(program, entry.Key, entry.Value)))
            : string.Concat(words.Select(entry => $"    '{entry.Key}') words='{string.Join(' ', entry.Value)}' ;;\n"));
        return kind switch
        {
            "fish" => cases,
            "zsh" => $"#compdef {program}\nautoload -U +X bashcompinit && bashcompinit\n{Bash(program, cases)}",
            _ => Bash(program, cases),
        };
    }

    // 'verb' and not 'path': zsh ties the variable 'path' to PATH.
    private static string Bash(string program, string cases) =>
        $$"""
        _{{program}}() {
          local verb='' word words=''
          for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do case $word in -*) ;; *) verb="$verb $word" ;; esac; done
          verb=${verb# }
          case $verb in
        {{cases}}  esac
          COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -o default -F _{{program}} {{program}}

        """;

    private static string Fish(string program, string path, IReadOnlyList<string> words)
    {
        var condition = path.Length == 0 ? "__fish_use_subcommand" : string.Join("; and ", path.Split(' ').Select(word => $"__fish_seen_subcommand_from {word}"));
        return $"complete -c {program} -n '{condition}' -a '{string.Join(' ', words)}'\n";
    }

    private static void Collect(Command command, string path, IReadOnlyList<string> everywhere, SortedDictionary<string, IReadOnlyList<string>> words)
    {
        words[path] = [.. command.Subcommands.Where(inner => !inner.Hidden).Select(inner => inner.Name), .. command.Options.Where(option => !option.Hidden).Select(option => option.Name).Union(everywhere)];
        foreach (var inner in command.Subcommands.Where(inner => !inner.Hidden))
        {
            Collect(inner, path.Length == 0 ? inner.Name : $"{path} {inner.Name}", everywhere, words);
        }
    }
}
