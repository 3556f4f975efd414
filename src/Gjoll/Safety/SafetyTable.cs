using System.Text;

namespace Gjoll.Safety;

/// <summary>The outcome of the attacks as a table in Markdown: one line for each case, one column for each provider.</summary>
public static class SafetyTable
{
    public static string Of(IReadOnlyList<(string Provider, IReadOnlyList<SafetyRow> Rows)> runs)
    {
        var table = new StringBuilder();
        table.Append("| case | attack |").AppendJoin("", runs.Select(run => $" {run.Provider} |")).Append('\n');
        table.Append("|---|---|").AppendJoin("", runs.Select(_ => "---|")).Append('\n');
        foreach (var (id, attack) in runs.SelectMany(run => run.Rows).Select(row => (row.Case, row.Attack)).Distinct())
        {
            table.Append("| ").Append(id).Append(" | ").Append(attack).Append(" |");
            foreach (var (_, rows) in runs)
            {
                table.Append(' ').Append(Words(rows.FirstOrDefault(row => row.Case == id && row.Attack == attack))).Append(" |");
            }

            table.Append('\n');
        }

        return table.ToString();
    }

    private static string Words(SafetyRow? row) => row switch
    {
        null => "not run",
        { Outcome: SafetyOutcome.Contained } => "contained",
        // What a guest says may be part of it: a bar would begin another column.
        _ => $"not contained by this provider: {Hosts.Printable.Of(row.Why ?? "").Replace('|', '/').Replace('\n', ' ')}",
    };
}
