using static Drella.Core.Tools.SchemaParts;

namespace Drella.Core.Tools;

/// <summary>Tools that talk to the people who wait.</summary>
internal static class ReportTools
{
    public static IReadOnlyList<ToolDefinition> All { get; } =
    [
        ToolCatalogue.Define(
            ToolCatalogue.ReportProgress,
            "Tells the people who wait what is being done. One sentence at each new stage; not a log.",
            """["text"]""",
            $$"""
            {
              "text": {{Prose(1, 500, "What is being done now.")}},
              "percent": {"type": "integer", "minimum": 0, "maximum": 100, "description": "A guess of how much is done."}
            }
            """),
        ToolCatalogue.Define(
            ToolCatalogue.AskHuman,
            "Asks the people who own the spec and pauses the job until one answers, which may take days. Only for what neither the spec "
            + "nor the repository can tell and where a wrong guess would be costly. Stop working after it.",
            """["question"]""",
            $$"""
            {
              "question": {{Prose(1, 2000, "The question, with what is needed to answer it.")}},
              "options": {"type": "array", "maxItems": 6, "items": {{Line(1, 200, "One possible answer.")}}}
            }
            """),
    ];
}
