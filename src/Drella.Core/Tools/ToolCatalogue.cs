using System.Text.Json;

namespace Drella.Core.Tools;

/// <summary>
/// Every tool that an agent can be granted. A job owns exactly one pull request, so no tool takes a repository; where a branch or a pull
/// request may be named, it must be the job's own.
/// </summary>
public static class ToolCatalogue
{
    public const string OpenPr = "open_pr";
    public const string UpdatePr = "update_pr";
    public const string CommentOnPr = "comment_on_pr";
    public const string ReplyToReview = "reply_to_review";
    public const string ClosePr = "close_pr";
    public const string GetPr = "get_pr";
    public const string PostReview = "post_review";
    public const string UploadImage = "upload_image";
    public const string SubmitVerdict = "submit_verdict";
    public const string ReportProgress = "report_progress";
    public const string AskHuman = "ask_human";

    /// <summary>All tools, in the order in which an agent meets them.</summary>
    public static IReadOnlyList<ToolDefinition> All { get; } =
        [.. PullRequestTools.All, .. ReviewTools.All, .. ReportTools.All];

    /// <summary>The tool of that exact name, or null.</summary>
    public static ToolDefinition? Find(string name) => All.FirstOrDefault(tool => tool.Name == name);

    /// <summary>A definition from the text of its members.</summary>
    internal static ToolDefinition Define(string name, string description, string required, string properties)
    {
        using var schema = JsonDocument.Parse(
            $$"""{"type":"object","additionalProperties":false,"required":{{required}},"properties":{{properties}}}""");
        return new ToolDefinition(name, description, schema.RootElement.Clone());
    }
}
