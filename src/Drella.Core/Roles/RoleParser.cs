using Drella.Core.Jobs;
using Drella.Core.Specs;
using Drella.Core.Tools;
using System.Text.RegularExpressions;

namespace Drella.Core.Roles;

/// <summary>A role, or why the file is none.</summary>
public sealed record RoleResult(RoleSnapshot? Role, IReadOnlyList<Problem> Problems);

/// <summary>Reads roles: markdown files whose header says who the role is and what it may, and whose body it is told. Pure.</summary>
public static partial class RoleParser
{
    /// <summary>Largest role file that is read, bytes.</summary>
    public const int MaxBytes = 64 * 1024;

    private static readonly string[] Keys = ["version", "name", "agent", "model", "effort", "tools", "may_edit", "timeout_minutes"];
    private static readonly string[] Efforts = ["low", "medium", "high", "xhigh", "max"];

    public static RoleResult Parse(ReadOnlySpan<byte> bytes, string fileName)
    {
        var parsed = FrontMatter.Read(bytes, MaxBytes);
        if (parsed.Problems.Count > 0)
        {
            return new RoleResult(null, parsed.Problems);
        }

        var problems = new List<Problem>();
        var header = new Header(parsed.Fields, problems);
        header.RefuseUnknown(Keys);
        if (header.Text("version") is { } version && version != "1")
        {
            header.Wrong("version", $"version {SpecParser.Shown(version)} of the header is not known here", "write version: 1");
        }

        var tools = header.List("tools", ToolName(), "names of tools, such as 'open_pr'");
        foreach (var tool in tools.Where(tool => ToolCatalogue.Find(tool) is null))
        {
            header.Wrong("tools", $"'{SpecParser.Shown(tool)}' is not a tool of the factory", $"the tools are {string.Join(", ", ToolCatalogue.All.Select(known => known.Name))}");
        }

        var effort = header.Text("effort");
        if (effort is not null && !Efforts.Contains(effort))
        {
            header.Wrong("effort", $"'{SpecParser.Shown(effort)}' is not an effort", $"write one of {string.Join(", ", Efforts)}");
        }

        if (header.Text("may_edit") is { } mayEdit and not ("true" or "false"))
        {
            header.Wrong("may_edit", $"'{SpecParser.Shown(mayEdit)}' is neither true nor false", null);
        }

        var timeout = header.Text("timeout_minutes");
        if (timeout is not null && (!int.TryParse(timeout, out var minutes) || minutes is < 1 or > 1440))
        {
            header.Wrong("timeout_minutes", $"'{SpecParser.Shown(timeout)}' is not a number from 1 to 1440", null);
        }

        var name = header.Name("name", PlainName(), "a name of a-z, 0-9 and -") ?? Path.GetFileNameWithoutExtension(fileName);
        if (header.Text("name") is null && !PlainName().IsMatch(name))
        {
            problems.Add(new Problem(1, "the role has no name, and its file name is none", "write 'name: …' in the header, of a-z, 0-9 and -"));
        }

        var role = new RoleSnapshot
        {
            Name = name,
            Agent = header.Name("agent", PlainName(), "a name of a-z, 0-9 and -") ?? "claude-code",
            Model = header.Name("model", ModelName(), "a model id") ?? "claude-sonnet-4-5",
            Effort = effort,
            Tools = tools,
            MayEdit = header.Text("may_edit") is "true",
            Prompt = parsed.Body.Trim(),
            Timeout = timeout is null || problems.Count > 0 ? null : TimeSpan.FromMinutes(int.Parse(timeout, System.Globalization.CultureInfo.InvariantCulture)),
        };
        if (role.Prompt.Length == 0)
        {
            problems.Add(new Problem(parsed.BodyLine, "the role is told nothing", "write behind the header what the role does"));
        }

        return problems.Count > 0 ? new RoleResult(null, problems) : new RoleResult(role, []);
    }

    [GeneratedRegex("^[a-z][a-z_]{1,40}$")]
    private static partial Regex ToolName();

    [GeneratedRegex("^[a-z0-9][a-z0-9-]{0,62}$")]
    private static partial Regex PlainName();

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9.:_/@\[\]-]{0,127}$")]
    private static partial Regex ModelName();
}
