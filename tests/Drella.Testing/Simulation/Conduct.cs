using Drella.Core.Agents;
using Drella.Core.Tools;
using Drella.Testing.Fakes;

namespace Drella.Testing.Simulation;

/// <summary>How agents behave.</summary>
public static class Conduct
{
    /// <summary>Does what it is asked, answers every remark, and ends.</summary>
    public static async Task DiligentAsync(AgentHands hands)
    {
        if (await hands.ThinkAsync(1000, 400, TimeSpan.FromSeconds(5)))
        {
            await (hands.IsJudge ? JudgeAsync(hands, passes: true) : WorkAsync(hands, "diligent"));
        }
        else
        {
            hands.End(AgentOutcome.ModelError);
        }
    }

    /// <summary>Commits, answers the remarks, opens the pull request or brings it up to date.</summary>
    public static async Task WorkAsync(AgentHands hands, string text)
    {
        hands.Rebase();
        // The session is in the name: a run that is taken up again finds its file there.
        hands.Commit($"src/{hands.Session[..18]}-{FakeGit.IdOf(string.Join(',', hands.Remarks))[..6]}.txt", text);
        foreach (var remark in hands.Remarks)
        {
            await hands.UseAsync(ToolCatalogue.ReplyToReview, new { remark, body = "Done.", disposition = "fixed" });
        }

        await hands.UseAsync(ToolCatalogue.OpenPr, new { title = "A change", body = "What changed." });
        hands.End(AgentOutcome.Completed);
    }

    public static async Task JudgeAsync(AgentHands hands, bool passes)
    {
        var findings = passes ? [] : new[] { new { severity = "major", title = "It is wrong", evidence = "Run it" } };
        await hands.UseAsync(ToolCatalogue.SubmitVerdict, new { verdict = passes ? "pass" : "fail", summary = "Looked at it", findings });
        hands.End(AgentOutcome.Completed);
    }
}
