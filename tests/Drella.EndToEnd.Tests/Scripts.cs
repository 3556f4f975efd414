namespace Drella.EndToEnd.Tests;

/// <summary>The model's part in the scenarios, and the specs that ask for it.</summary>
internal static class Scripts
{
    /// <summary>A spec for the target project.</summary>
    public static string Spec(string title = "Add a farewell", string budget = "5.00") =>
        $"""
        ---
        version: 1
        repo: {FactoryFixture.Repo}
        title: {title}
        budget: {budget}
        ---
        People want to say goodbye, too.

        ## Acceptance criteria

        - [ ] `farewell.txt` says goodbye
        """;

    /// <summary>A producer that writes a file, commits it and opens the pull request; the steps given go before and after.</summary>
    public static string Producer(string before = "", string after = "", string usage = "{in: 2000, out: 100}") =>
        $$$"""
        defaults: { usage: {{{usage}}} }
        scripts:
        - match: { role: producer }
          steps:
        {{{Indent(before)}}}
          - do: [ {op: shell, cmd: "cd ${ws} && echo goodbye > farewell.txt && git add -A && (git commit -q -m 'Say goodbye' || true) && git log --oneline | head -2"} ]
          - do: [ {op: mcp, server: factory, tool: open_pr, args: {title: "Say goodbye", body: "A farewell."}} ]
          - say: "Done."
        {{{Indent(after)}}}
        """;

    private static string Indent(string steps) => string.Join('\n', steps.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => "  " + line));
}
