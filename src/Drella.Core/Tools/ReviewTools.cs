using static Drella.Core.Tools.SchemaParts;

namespace Drella.Core.Tools;

/// <summary>Tools that answer a review, give one, or judge the work.</summary>
internal static class ReviewTools
{
    public static IReadOnlyList<ToolDefinition> All { get; } =
    [
        ToolCatalogue.Define(
            ToolCatalogue.ReplyToReview,
            "Answers one remark of a reviewer and says what became of it. Every remark in the prompt gets exactly one answer. "
            + "For 'fixed', commit the fix first and push it with update_pr.",
            """["remark","body","disposition"]""",
            $$"""
            {
              "remark": {"type": "string", "maxLength": 100, "pattern": "^[A-Za-z0-9][A-Za-z0-9._:/-]*$", "description": "Id of the remark as the prompt gives it."},
              "body": {{Prose(1, 10000, "The answer in markdown.")}},
              "disposition": {
                "type": "string", "enum": ["fixed", "answered", "declined", "deferred"],
                "description": "fixed: a commit does it; answered: a question was answered; declined: it will not be done, the body says why; deferred: it belongs elsewhere, the body says where."
              }
            }
            """),
        ToolCatalogue.Define(
            ToolCatalogue.PostReview,
            "Posts a review of this job's pull request, with remarks on lines of its diff.",
            """["event","body"]""",
            $$$"""
            {
              "event": {"type": "string", "enum": ["comment", "request_changes", "approve"]},
              "body": {{{Prose(1, 10000, "The review as a whole, in markdown.")}}},
              "comments": {
                "type": "array", "maxItems": 50,
                "items": {
                  "type": "object", "additionalProperties": false, "required": ["path", "line", "body"],
                  "properties": {
                    "path": {{{RepoPath}}},
                    "line": {{{LineNumber}}},
                    "body": {{{Prose(1, 5000, "The remark in markdown.")}}}
                  }
                }
              },
              "pr": {{{OwnPr}}}
            }
            """),
        ToolCatalogue.Define(
            ToolCatalogue.SubmitVerdict,
            "Gives the verdict of this role on the work, once, as the last thing it does. 'pass' with a blocking finding is refused.",
            """["verdict","summary","findings"]""",
            $$$"""
            {
              "verdict": {"type": "string", "enum": ["pass", "fail"]},
              "summary": {{{Prose(1, 5000, "What was examined, how, and what came out.")}}},
              "findings": {
                "type": "array", "maxItems": 50,
                "description": "One entry for each defect; empty when there is none.",
                "items": {
                  "type": "object", "additionalProperties": false, "required": ["severity", "title", "evidence"],
                  "properties": {
                    "severity": {"type": "string", "enum": ["blocking", "major", "minor"]},
                    "title": {{{Line(1, 200, "The defect in one line.")}}},
                    "evidence": {{{Prose(1, 4000, "How to see it: command, input, output, or the lines of code.")}}},
                    "path": {{{RepoPath}}},
                    "line": {{{LineNumber}}}
                  }
                }
              }
            }
            """),
    ];
}
