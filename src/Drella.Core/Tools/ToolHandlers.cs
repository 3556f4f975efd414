using System.Globalization;
using System.Text;
using System.Text.Json;
using Drella.Core.Forges;
using Drella.Core.Jobs;
using Drella.Core.PullRequests;
using Drella.Core.Sandboxes;
using Drella.Core.Secrets;

namespace Drella.Core.Tools;

/// <summary>What each tool does, once it is allowed. Everything acts on the job's own pull request and on nothing else.</summary>
internal sealed class ToolHandlers(
    IForge forge, Floor floor, Harvester harvester, Publisher publisher, ImageShelf images, SecretScanner secrets)
{
    public async Task<ToolAnswer> RunAsync(LiveJob live, ToolCall call, CancellationToken cancellationToken)
    {
        try
        {
            if (secrets.Scan(call.Arguments.GetRawText()) is [var finding, ..])
            {
                return ToolAnswer.Refused($"the text holds what looks like a secret ({finding.Rule}); leave it out");
            }

            return call.Tool switch
            {
                ToolCatalogue.OpenPr or ToolCatalogue.UpdatePr => await PublishAsync(live, call.Arguments, cancellationToken),
                ToolCatalogue.CommentOnPr => await CommentAsync(live, call, cancellationToken),
                ToolCatalogue.ReplyToReview => await ReplyAsync(live, call.Arguments, cancellationToken),
                ToolCatalogue.ClosePr => await CloseAsync(live, call, cancellationToken),
                ToolCatalogue.GetPr => await ShowAsync(live.Job, cancellationToken),
                ToolCatalogue.PostReview => await ReviewAsync(live, call, cancellationToken),
                ToolCatalogue.UploadImage => await images.KeepAsync(live.Job.Id, call.Arguments, cancellationToken),
                ToolCatalogue.SubmitVerdict => await JudgeAsync(live, call.Arguments, cancellationToken),
                ToolCatalogue.ReportProgress => await ProgressAsync(live, call.Arguments, cancellationToken),
                ToolCatalogue.AskHuman => await AskAsync(live, call, cancellationToken),
                _ => ToolAnswer.Refused("there is no such tool"),
            };
        }
        catch (DriverException error)
        {
            // The message may name hosts and paths: the agent hears only what kind of trouble it was.
            return ToolAnswer.Refused(error.IsTransient
                ? "the factory could not do it now; go on with your work, it is tried again when you end"
                : $"the factory could not do it ({error.Failure})");
        }
    }

    private async Task<ToolAnswer> PublishAsync(LiveJob live, JsonElement arguments, CancellationToken cancellationToken)
    {
        var sandbox = await floor.EnsureAsync(live.Job, isRestart: false, cancellationToken);
        switch (await harvester.HarvestAsync(live, sandbox, cancellationToken))
        {
            case HarvestResult.Refused refused:
                return ToolAnswer.Refused("The commits were not taken:\n" + refused.Why);
            case HarvestResult.Nothing when live.Job.GuestHead == live.Job.BaseCommit:
                return ToolAnswer.Refused("there is no commit yet; commit your work first");
            case HarvestResult.Taken taken:
                await live.RecordAsync(taken.Entry, cancellationToken);
                break;
        }

        await live.RecordAsync(Proposal(live.Job, arguments), cancellationToken);
        switch (await publisher.PublishAsync(live, isFinal: false, cancellationToken))
        {
            case PublishResult.HumanPushed:
                return ToolAnswer.Refused("a person pushed to the branch of the pull request; end your turn, and the next round begins with their commits");
            case PublishResult.Nothing:
                return ToolAnswer.Refused("there is no commit yet; commit your work first");
            case PublishResult.Published published:
                await publisher.DescribeAsync(live.Job, cancellationToken);
                return ToolAnswer.Ok($"The pull request is {published.Link.Url}, a draft at {published.Head}.");
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    private static JobEntry.Proposed Proposal(Job job, JsonElement arguments) => new(
        Text(arguments, "title") ?? job.Proposal?.Title ?? job.Request.Title,
        Text(arguments, "body") ?? job.Proposal?.Body ?? "",
        arguments.TryGetProperty("requirements", out var claims)
            ? [.. claims.EnumerateArray().Select(claim => new RequirementClaim(Text(claim, "id")!, Text(claim, "status")!, Text(claim, "evidence")!))]
            : job.Proposal?.Requirements ?? []);

    private async Task<ToolAnswer> CommentAsync(LiveJob live, ToolCall call, CancellationToken cancellationToken)
    {
        if (live.Job.PullRequest is not { } link)
        {
            return NoPullRequest;
        }

        var key = new EffectKey($"{live.Job.Id}/comment/{Digest(call)}");
        if (await forge.FindCommentAsync(live.Job.Request.RepoName, link.Number, key, cancellationToken) is null)
        {
            await forge.CommentAsync(live.Job.Request.RepoName, link.Number, PullRequestText.Clean(Text(call.Arguments, "body")!), key, cancellationToken);
        }

        return ToolAnswer.Ok("The comment is there.");
    }

    private static async Task<ToolAnswer> ReplyAsync(LiveJob live, JsonElement arguments, CancellationToken cancellationToken)
    {
        var key = Text(arguments, "remark")!;
        if (live.Job.TakenFeedback.All(feedback => feedback.Row.Key != key))
        {
            var known = string.Join(", ", live.Job.TakenFeedback.Select(feedback => feedback.Row.Key));
            return ToolAnswer.Refused(known.Length == 0 ? "this round answers no remarks" : $"there is no such remark in this round; there are {known}");
        }

        var disposition = Enum.Parse<Disposition>(Text(arguments, "disposition")!, ignoreCase: true);
        await live.RecordAsync(new JobEntry.ReplyProposed(key, Text(arguments, "body")!, disposition), cancellationToken);
        return ToolAnswer.Ok("Noted. The answer is posted with the commit when you have ended.");
    }

    private async Task<ToolAnswer> CloseAsync(LiveJob live, ToolCall call, CancellationToken cancellationToken)
    {
        if (live.Job.PullRequest is not { } link)
        {
            return NoPullRequest;
        }

        var repo = live.Job.Request.RepoName;
        var key = new EffectKey($"{live.Job.Id}/close");
        if (await forge.FindCommentAsync(repo, link.Number, key, cancellationToken) is null)
        {
            await forge.CommentAsync(repo, link.Number, "The agent closed this: " + PullRequestText.Clean(Text(call.Arguments, "reason")!), key, cancellationToken);
        }

        await forge.ClosePullRequestAsync(repo, link.Number, cancellationToken);
        return ToolAnswer.Ok("The pull request is closed and the job is over. End your turn.");
    }

    private async Task<ToolAnswer> ShowAsync(Job job, CancellationToken cancellationToken)
    {
        if (job.PullRequest is not { } link)
        {
            return NoPullRequest;
        }

        var pull = await forge.PullRequestAsync(job.Request.RepoName, link.Number, cancellationToken);
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{pull.Url}\nstate: {pull.State}\nhead: {pull.HeadCommit}\nmergeable: {pull.Mergeability}\ntitle: {pull.Title}\n");
        foreach (var check in await forge.ChecksAsync(job.Request.RepoName, pull.HeadCommit, cancellationToken))
        {
            text.Append(CultureInfo.InvariantCulture, $"check {check.Name}: {check.Outcome}\n");
        }

        foreach (var feedback in job.OpenFeedback.OrderBy(row => row.Order))
        {
            text.Append(CultureInfo.InvariantCulture, $"open remark {feedback.Row.Key} by {feedback.Row.Author}: {feedback.Row.Body}\n");
        }

        return ToolAnswer.Ok(text.ToString());
    }

    private async Task<ToolAnswer> ReviewAsync(LiveJob live, ToolCall call, CancellationToken cancellationToken)
    {
        var job = live.Job;
        if (job.PullRequest is not { } link || job.Published is null)
        {
            return NoPullRequest;
        }

        var verdict = Text(call.Arguments, "event") switch { "approve" => ReviewVerdict.Approve, "request_changes" => ReviewVerdict.RequestChanges, _ => ReviewVerdict.Comment };
        if (verdict == ReviewVerdict.Approve)
        {
            return ToolAnswer.Refused("approving is left to people; use submit_verdict for your judgement and 'comment' here");
        }

        var comments = call.Arguments.TryGetProperty("comments", out var list)
            ? list.EnumerateArray().Select(item => new NewInlineComment(Text(item, "path")!, item.GetProperty("line").GetInt32(), PullRequestText.Clean(Text(item, "body")!))).ToList()
            : [];
        // The author of a pull request cannot request changes on it; the word then stands in the body.
        var body = (verdict == ReviewVerdict.RequestChanges ? "**Changes requested.** " : "") + PullRequestText.Clean(Text(call.Arguments, "body")!);
        await forge.SubmitReviewAsync(
            job.Request.RepoName, link.Number, new NewReview(ReviewVerdict.Comment, body, job.Published, comments), new EffectKey($"{job.Id}/review/{Digest(call)}"), cancellationToken);
        return ToolAnswer.Ok("The review is posted.");
    }

    private static async Task<ToolAnswer> JudgeAsync(LiveJob live, JsonElement arguments, CancellationToken cancellationToken)
    {
        if (live.Job.Step != StepName.Judge)
        {
            return ToolAnswer.Refused("only a judging role gives a verdict");
        }

        var findings = arguments.TryGetProperty("findings", out var list)
            ? list.EnumerateArray().Select(item => new Finding(
                Enum.Parse<Severity>(Text(item, "severity")!, ignoreCase: true),
                Text(item, "title")!,
                Text(item, "evidence") ?? "",
                Text(item, "path"),
                item.TryGetProperty("line", out var line) ? line.GetInt32() : null)).ToList()
            : [];
        var passed = Text(arguments, "verdict") == "pass";
        if (passed && findings.Any(finding => finding.Severity == Severity.Blocking))
        {
            return ToolAnswer.Refused("a blocking finding does not go with the verdict 'pass'");
        }

        await live.RecordAsync(new JobEntry.VerdictGiven(live.Job.CurrentRole.Name, passed, Text(arguments, "summary") ?? "", findings), cancellationToken);
        return ToolAnswer.Ok("The verdict is recorded. End your turn.");
    }

    private static async Task<ToolAnswer> ProgressAsync(LiveJob live, JsonElement arguments, CancellationToken cancellationToken)
    {
        int? percent = arguments.TryGetProperty("percent", out var number) ? (int)number.GetDouble() : null;
        await live.RecordAsync(new JobEntry.ProgressReported(Text(arguments, "text")!, percent), cancellationToken);
        return ToolAnswer.Ok("Noted.");
    }

    private static async Task<ToolAnswer> AskAsync(LiveJob live, ToolCall call, CancellationToken cancellationToken)
    {
        var options = call.Arguments.TryGetProperty("options", out var list) ? list.EnumerateArray().Select(item => item.GetString()!).ToList() : [];
        await live.RecordAsync(new JobEntry.QuestionAsked(call.CallId, Text(call.Arguments, "question")!, options), cancellationToken);
        return ToolAnswer.Ok("The question is put to the people. End your turn now; you are woken with the answer.");
    }

    private static ToolAnswer NoPullRequest { get; } = ToolAnswer.Refused("this job has no pull request yet; open_pr makes it");

    private static string? Text(JsonElement element, string name) => element.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static string Digest(ToolCall call) => StatusText.Digest(call.Tool + call.Arguments.GetRawText());
}
