using System.CommandLine;
using Drella.Core.Specs;
using Drella.Terminal;

namespace Drella.Verbs;

/// <summary><c>spec lint</c>.</summary>
internal static class SpecVerbs
{
    /// <summary>One thing to say of a spec file.</summary>
    private sealed record Remark(string File, int Line, string Text, bool IsError);

    public static IEnumerable<Command> All(Shell shell)
    {
        var files = new Argument<FileInfo[]>("file") { Description = "Spec files", Arity = ArgumentArity.OneOrMore };
        var repo = new Option<string?>("--repo") { Description = "Repository for specs that name none" };
        yield return Shell.Group("spec", "Specs", shell.Verb("lint", "Say what is wrong with specs", call => LintAsync(call, files, repo), files, repo));
    }

    private static async Task<ExitCode> LintAsync(Call call, Argument<FileInfo[]> files, Option<string?> repoOption)
    {
        var repo = call.Repo(repoOption);
        var remarks = new List<Remark>();
        foreach (var file in call.Value(files)!)
        {
            if (!file.Exists)
            {
                throw new VerbFailure(ExitCode.NotFound, $"{file} is not there");
            }

            if (SpecParser.NameOf(file.Name) is null)
            {
                remarks.Add(new Remark(file.ToString(), 1, "the file name is not allowed: use letters, digits, '.', '_' and '-', and end in .md", true));
            }

            var bytes = file.Length > SpecParser.MaxBytes ? new byte[SpecParser.MaxBytes + 1] : await File.ReadAllBytesAsync(file.FullName, call.Cancellation);
            var result = SpecParser.Parse(bytes, new SpecDefaults(repo, null));
            remarks.AddRange(result.Problems.Select(problem => new Remark(file.ToString(), problem.Line, Text(problem), true)));
            remarks.AddRange((result.Spec?.OpenQuestions ?? []).Select(question => new Remark(file.ToString(), question.Line, $"the open question is not resolved: {question.What}", true)));
            if (result.Spec is { AcceptanceCriteria.Count: 0 })
            {
                remarks.Add(new Remark(file.ToString(), 1, "there are no acceptance criteria; nobody can tell when it is done", false));
            }
        }

        call.Speaker.Data(remarks, writer =>
        {
            foreach (var remark in remarks)
            {
                writer.WriteLine(TerminalText.Line($"{remark.File}:{remark.Line}: {(remark.IsError ? "" : "warning: ")}{remark.Text}", 1000));
            }
        });
        return remarks.Any(remark => remark.IsError) ? ExitCode.CheckFailed : ExitCode.Ok;
    }

    private static string Text(Problem problem) => problem.Suggestion is null ? problem.What : $"{problem.What}; {problem.Suggestion}";
}
