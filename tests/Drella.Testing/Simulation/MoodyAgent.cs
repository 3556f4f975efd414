using Drella.Core.Agents;
using Drella.Core.Tools;
using Drella.Testing.Fakes;

namespace Drella.Testing.Simulation;

/// <summary>An agent that mostly works and sometimes does not, in every way that has a name.</summary>
public sealed class MoodyAgent(Random random, FaultPlan plan)
{
    private const string Protected = ".github/workflows/own.yml";

    private int pieces;

    public async Task PlayAsync(AgentHands hands)
    {
        for (var calls = random.Next(1, 4); calls > 0; calls--)
        {
            var reserve = random.Next(50_000, 400_000);
            if (!await hands.ThinkAsync(reserve, random.Next(reserve + 1), TimeSpan.FromSeconds(random.Next(1, 90))))
            {
                hands.End(AgentOutcome.ModelError);
                return;
            }
        }

        await hands.WaitAsync(TimeSpan.FromSeconds(random.Next(180)));
        if (!plan.IsCalm && random.NextDouble() < plan.AgentTrouble)
        {
            await MisbehaveAsync(hands);
        }
        else if (hands.IsJudge)
        {
            await Conduct.JudgeAsync(hands, passes: plan.IsCalm || random.NextDouble() < 0.8);
        }
        else
        {
            await WorkAsync(hands);
        }
    }

    private async Task WorkAsync(AgentHands hands)
    {
        hands.Rebase();
        hands.Delete(Protected);
        hands.Machine.IsDirty = false;
        hands.Commit($"src/{++pieces}.txt", $"piece {pieces}");
        foreach (var remark in hands.Remarks.Where(_ => random.NextDouble() < 0.9))
        {
            var disposition = new[] { "fixed", "answered", "declined", "deferred" }[random.Next(4)];
            await hands.UseAsync(ToolCatalogue.ReplyToReview, new { remark, body = "Seen to.", disposition });
        }

        if (random.NextDouble() < 0.7)
        {
            await hands.UseAsync(ToolCatalogue.OpenPr, new { title = "A change", body = "What changed." });
        }

        hands.End(AgentOutcome.Completed);
    }

    private async Task MisbehaveAsync(AgentHands hands)
    {
        switch (random.Next(12))
        {
            case 0:
                hands.Process.Exit(new Core.Sandboxes.GuestExit(1, null));
                break;
            case 1:
                hands.Process.IsDeaf = random.Next(2) == 0;
                await hands.WaitAsync(TimeSpan.FromDays(1));
                break;
            case 2:
                hands.End(AgentOutcome.Completed);
                break;
            case 3:
                hands.Machine.IsDirty = true;
                hands.End(AgentOutcome.Completed);
                break;
            case 4:
                hands.Commit(Protected, "on: push");
                hands.End(AgentOutcome.Completed);
                break;
            case 5:
                await hands.UseAsync(ToolCatalogue.AskHuman, new { question = "Which way?" });
                hands.End(AgentOutcome.Completed);
                break;
            case 6:
                hands.End(AgentOutcome.RateLimited);
                break;
            case 7:
                hands.End(AgentOutcome.Refused);
                break;
            case 8:
                hands.Forget();
                hands.End(AgentOutcome.Completed);
                break;
            case 9:
                hands.Commit($"src/{++pieces}.txt", "half a piece");
                hands.Process.Kill();
                break;
            case 10:
                // Works on what it has without looking at what people pushed.
                hands.Commit($"src/{++pieces}.txt", "stubborn");
                await hands.UseAsync(ToolCatalogue.UpdatePr, new { summary = "More" });
                hands.End(AgentOutcome.Completed);
                break;
            default:
                await hands.UseAsync(ToolCatalogue.ClosePr, new { reason = "Not worth it" });
                hands.End(AgentOutcome.Completed);
                break;
        }
    }
}
