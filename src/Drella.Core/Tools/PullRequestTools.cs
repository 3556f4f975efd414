using static Drella.Core.Tools.SchemaParts;

namespace Drella.Core.Tools;

/// <summary>Tools that make and tend the job's pull request.</summary>
internal static class PullRequestTools
{
    private static readonly string Title = Line(1, 120, "One line, at most 120 characters, in the style of the repository's history.");

    public static IReadOnlyList<ToolDefinition> All { get; } =
    [
        ToolCatalogue.Define(
            ToolCatalogue.OpenPr,
            "Opens this job's one pull request from what is committed in the workspace. Commit first; the factory takes the commits out, "
            + "checks them, pushes them and opens the pull request as a draft. Call it once; later work goes through update_pr.",
            """["title","body"]""",
            $$$"""
            {
              "title": {{{Title}}},
              "body": {{{Prose(1, 20000, "Description in markdown: what changed and why, how it was tested, what was not verified.")}}},
              "requirements": {
                "type": "array", "maxItems": 100,
                "description": "What became of each requirement of the spec.",
                "items": {
                  "type": "object", "additionalProperties": false, "required": ["id", "status", "evidence"],
                  "properties": {
                    "id": {{{Line(1, 40, "Id of the requirement as the prompt gives it.")}}},
                    "status": {"type": "string", "enum": ["met", "partly", "not_met"]},
                    "evidence": {{{Prose(0, 500, "Name of the test or file that shows it.")}}}
                  }
                }
              },
              "branch": {{{OwnBranch}}}
            }
            """),
        ToolCatalogue.Define(
            ToolCatalogue.UpdatePr,
            "Pushes what has been committed in the workspace since the last time to this job's pull request, and changes its title or "
            + "description where given.",
            """["summary"]""",
            $$"""
            {
              "title": {{Title}},
              "body": {{Prose(1, 20000, "The whole new description in markdown; left out, the old one stays.")}},
              "summary": {{Prose(1, 2000, "What changed since the last push, for the people who review.")}},
              "pr": {{OwnPr}},
              "branch": {{OwnBranch}}
            }
            """),
        ToolCatalogue.Define(
            ToolCatalogue.CommentOnPr,
            "Adds a comment to the conversation of this job's pull request. To answer a review remark use reply_to_review.",
            """["body"]""",
            $$"""{"body": {{Prose(1, 10000, "The comment in markdown.")}}, "pr": {{OwnPr}}}"""),
        ToolCatalogue.Define(
            ToolCatalogue.ClosePr,
            "Closes this job's pull request without a merge and ends the job. Only when the change should not be made at all.",
            """["reason"]""",
            $$"""{"reason": {{Prose(1, 2000, "Why, for the people who asked for the change.")}}, "pr": {{OwnPr}}}"""),
        ToolCatalogue.Define(
            ToolCatalogue.GetPr,
            "Shows the state of this job's pull request: title, description, checks, and the remarks that wait for an answer.",
            "[]",
            $$"""{"pr": {{OwnPr}}}"""),
        ToolCatalogue.Define(
            ToolCatalogue.UploadImage,
            "Uploads a picture, such as a screenshot, and answers with the markdown that shows it in the pull request.",
            """["filename","data"]""",
            $$"""
            {
              "filename": {
                "type": "string", "maxLength": 100, "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]*[.](png|jpg|jpeg|gif|webp)$",
                "description": "Name of the file: letters, digits, - and _, ending in .png, .jpg, .jpeg, .gif or .webp."
              },
              "data": {
                "type": "string", "minLength": 4, "maxLength": 6990508, "pattern": "^[A-Za-z0-9+/]+={0,2}$",
                "description": "The file in base64 on one line, at most 5 MiB before encoding."
              },
              "alt": {{Line(0, 200, "What the picture shows.")}}
            }
            """),
    ];
}
