namespace Drella.Forge.Tests;

/// <summary>Runs the whole surface once on its own and demands that every operation the forge serves gave a valid success.</summary>
public sealed class CoverageTests
{
    private static readonly string[] NotServed =
    [
        "/actions/", "/app/", "/installation", "/code-scanning/", "/security-advisories/", "/dependency-graph/", "/codespaces", "/merge-async",
        "/merge-upstream", "/forks", "/search/", "/rules/", "/check-suites/", "/rerequest", "/config", "/tests",
    ];

    // Two spellings of one operation: requests fall under the one with the dots.
    private const string Compare = "GET /repos/{owner}/{repo}/compare/{basehead}";

    // Served by no route on purpose: nothing in the product needs them.
    private static readonly HashSet<string> LeftOut =
    [
        "DELETE /repos/{owner}/{repo}", "PATCH /user", "PUT /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}",
        "DELETE /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}", Compare,
    ];

    [Fact]
    public async Task Surface_IsExercisedWhole()
    {
        var (surface, pulls, hooks) = (new RestSurfaceTests(), new PullLifecycleTests(), new WebhookTests());
        Func<Task>[] all =
        [
            surface.Accounts_AnswerWhoAndWhatMayBeDone, surface.Repository_ShowsItsBranchesCommitsAndComparison, surface.GitDatabase_LetsAClientCommitWithoutGit,
            surface.Issues_CarryLabelsCommentsAndReactions, surface.Checks_CombineIntoOneState, pulls.Reviews_FollowTheLinesAndKeepTheirVerdicts,
            pulls.Pull_GoesFromDraftToMergedAndClosesItsIssue, pulls.Pull_CanBeEditedClosedReopenedAndReadAsText,
            pulls.Merge_RefusesConflictsAndTheBranchCanBeUpdatedOtherwise, hooks.Events_ArriveSignedInOrderAndCanBeSentAgain,
        ];
        foreach (var part in all)
        {
            await part();
        }

        var served = ForgeHost.Coverage.Operations.Where(o => !NotServed.Any(n => o.Path.Contains(n, StringComparison.Ordinal)) && !LeftOut.Contains(o.Name)).ToList();
        var missing = served.Where(o => !ForgeHost.Coverage.Exercised.ContainsKey(o.Name)).Select(o => o.Name).ToList();
        TestContext.Current.TestOutputHelper?.WriteLine($"{served.Count - missing.Count} of {served.Count} operations exercised");
        Assert.True(missing.Count == 0, "Never exercised:\n" + string.Join('\n', missing));
    }
}
