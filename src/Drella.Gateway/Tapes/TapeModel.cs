using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Drella.Core.Jobs;
using Drella.Gateway.Models;

namespace Drella.Gateway.Tapes;

/// <summary>
/// A model that follows a tape. Deterministic; concurrent. Its place in a script is read from each request, so it may be replaced by
/// another process at any moment; only fault counters live in memory.
/// </summary>
public sealed class TapeModel(Tape tape, Func<Assignment, TapeFacts> facts, TimeProvider time) : IModelUpstream
{
    private const string Compaction = "CRITICAL: Respond with TEXT ONLY";
    private readonly ConcurrentDictionary<(Assignment, string, int), int> faults = new();
    private readonly ConcurrentDictionary<string, TapeGate> gates = new(StringComparer.Ordinal);
    private readonly Lock reporting = new();
    private readonly List<string> served = [];
    private readonly List<string> mismatches = [];
    private int requests;

    /// <inheritdoc/>
    public IReadOnlyList<string> Secrets => [];

    public TapeReport Report
    {
        get
        {
            lock (reporting)
            {
                return new TapeReport(requests, [.. served], [.. mismatches]);
            }
        }
    }

    /// <summary>Completes when a step stands at the gate.</summary>
    public Task GateReached(string name) => Gate(name).Reached.Task;

    /// <summary>Lets every step that waits, or will wait, at the gate go on.</summary>
    public void ReleaseGate(string name) => Gate(name).Released.TrySetResult();

    /// <inheritdoc/>
    public async Task<UpstreamAnswer> SendAsync(UpstreamCall call, CancellationToken cancellationToken)
    {
        if (call.PathAndQuery.Contains("count_tokens", StringComparison.Ordinal))
        {
            return Answer(200, new JsonObject { ["input_tokens"] = tape.Defaults.Usage.In });
        }

        Interlocked.Increment(ref requests);
        if (Conversation.TryRead(call.Body) is not { } conversation)
        {
            return Mismatch("?", 0, "the request has no messages");
        }

        var known = facts(call.Assignment);
        var script = Choose(call, known);
        if (conversation.Tools.Count == 0 || (script is null && call.Subagent is not null))
        {
            return Say(conversation, "Understood.");
        }

        if (script is null)
        {
            return Mismatch($"role {call.Assignment.Role}", 0, "no script is for this assignment");
        }

        var place = TapePlace.Read(script, conversation, known.Variables);
        return conversation.Turns[^1].Text.StartsWith(Compaction, StringComparison.Ordinal)
            ? Say(conversation, $"<summary>Work goes on. {TapePlace.Mark(script, place.Step)}</summary>")
            : await ServeAsync(call, conversation, script, place, cancellationToken);
    }

    private async Task<UpstreamAnswer> ServeAsync(
        UpstreamCall call, Conversation conversation, TapeScript script, TapePlace place, CancellationToken cancellationToken)
    {
        var at = place.Step;
        var fault = default(TapeFault);
        while (at < script.Steps.Count && (fault = Due(call, script, at)) is null && !script.Steps[at].HasContent)
        {
            at++;
        }

        var ended = at > 0 && !script.Steps[at - 1].CallsTools && script.Steps[at - 1].HasContent;
        if (at == script.Steps.Count)
        {
            return ended && conversation.Turns[^1].Results.Count == 0 ? Say(conversation, TapePlace.Idle) : Mismatch(Name(script), at, "the script is over");
        }

        var step = script.Steps[at];
        if (TapeJudge.Why(step.Expect, conversation, place) is { } why)
        {
            var idle = ended && step.Expect!.Prompt is { } prompt && !TapeJudge.Holds(prompt, conversation.Prompt, true, place.Variables);
            return idle ? Say(conversation, TapePlace.Idle) : Mismatch(Name(script), at, why);
        }

        if (step.Gate is { } name)
        {
            var gate = Gate(name);
            gate.Reached.TrySetResult();
            await gate.Released.Task.WaitAsync(cancellationToken);
        }

        if (step.DelayMs > 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(step.DelayMs), time, cancellationToken);
        }

        return await RenderAsync(conversation, script, place with { Step = at, Serving = at == place.Step ? place.Serving : 0 }, fault, cancellationToken);
    }

    private async Task<UpstreamAnswer> RenderAsync(
        Conversation conversation, TapeScript script, TapePlace place, TapeFault? fault, CancellationToken cancellationToken)
    {
        if (fault?.Hang == "beforeHeaders")
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, time, cancellationToken);
        }

        if (fault?.Status is { } status)
        {
            return Error(status, fault.ErrorType ?? TypeOf(status), $"The tape answers {status} here.", ("retry-after", fault.RetryAfter));
        }

        if (fault?.Hang == "afterHeaders")
        {
            return Stream([new TapeBody.Piece.Pause(Timeout.InfiniteTimeSpan)]);
        }

        if (fault?.RawSse is { } raw)
        {
            return Stream([new TapeBody.Piece.Bytes(Encoding.UTF8.GetBytes(raw))]);
        }

        var step = script.Steps[place.Step];
        if (Blocks(script, step, place, out var unknown) is not { } blocks)
        {
            return Mismatch(Name(script), place.Step, $"the operation '{unknown}' is not known");
        }

        var stop = step.Stop ?? (step.CallsTools ? "tool_use" : "end_turn");
        var answer = new AnswerScript($"msg_{script.Hash}_{place.Step}_{place.Serving}", conversation.Model, blocks, step.Usage ?? tape.Defaults.Usage, stop);
        lock (reporting)
        {
            served.Add($"{Name(script)}: {place.Step}");
        }

        return conversation.Streams ? Stream(answer.Stream(step, fault)) : new UpstreamAnswer(200, Json, new MemoryStream(answer.Whole().ToArray()));
    }

    private static List<AnswerBlock>? Blocks(TapeScript script, TapeStep step, TapePlace place, out string? unknown)
    {
        unknown = null;
        var blocks = new List<AnswerBlock>();
        if (step.Think is { } thought)
        {
            blocks.Add(new AnswerBlock("thinking", TapePlace.Substitute(thought, place.Variables)));
        }

        if (step.Say is { Length: > 0 } text)
        {
            blocks.Add(new AnswerBlock("text", TapePlace.Substitute(text, place.Variables)));
        }

        var ops = step.Final is null ? step.Do : [.. step.Do, new TapeOp { Op = "mcp", Tool = "submit_verdict", Args = step.Final }];
        for (var index = 0; index < ops.Count; index++)
        {
            if (ClaudeDialect.Render(Substituted(ops[index], place.Variables)) is not { } call)
            {
                unknown = ops[index].Op;
                return null;
            }

            blocks.Add(new AnswerBlock("tool_use", call.Args, TapePlace.CallId(script, place.Step, place.Serving, index), call.Tool));
        }

        return blocks;
    }

    private static TapeOp Substituted(TapeOp op, IReadOnlyDictionary<string, string> variables)
    {
        var node = JsonSerializer.SerializeToNode(op)!;
        Replace(node);
        return node.Deserialize<TapeOp>()!;

        void Replace(JsonNode node)
        {
            switch (node)
            {
                case JsonObject members:
                    foreach (var (key, value) in members.ToList())
                    {
                        members[key] = Text(value);
                    }

                    break;
                case JsonArray items:
                    for (var at = 0; at < items.Count; at++)
                    {
                        items[at] = Text(items[at]);
                    }

                    break;
            }
        }

        JsonNode? Text(JsonNode? value)
        {
            if (value is JsonValue scalar && scalar.TryGetValue<string>(out var text))
            {
                return JsonValue.Create(TapePlace.Substitute(text, variables));
            }

            var copy = value?.DeepClone();
            if (copy is not null)
            {
                Replace(copy);
            }

            return copy;
        }
    }

    private TapeScript? Choose(UpstreamCall call, TapeFacts known) => tape.Scripts
        .Select(script => (script, weight: Weight(script.Match, call, known)))
        .Where(item => item.weight >= 0)
        .OrderByDescending(item => item.weight)
        .Select(item => item.script)
        .FirstOrDefault();

    private static int Weight(TapeMatch match, UpstreamCall call, TapeFacts known)
    {
        var who = call.Assignment;
        (bool Given, bool Holds)[] parts =
        [
            (match.Role is not null, match.Role == who.Role),
            (match.Attempt is not null, match.Attempt == who.Attempt),
            (match.Round is not null, match.Round == who.Round),
            (match.Repo is not null, match.Repo == known.Repo),
            (match.Title is not null, known.Title.Contains(match.Title ?? "", StringComparison.OrdinalIgnoreCase)),
        ];
        return match.Subagent == call.Subagent is null || parts.Any(part => part.Given && !part.Holds) ? -1 : parts.Count(part => part.Given);
    }

    private TapeFault? Due(UpstreamCall call, TapeScript script, int step) =>
        script.Steps[step].Fault is { } fault && faults.AddOrUpdate((call.Assignment, script.Hash, step), 1, (_, count) => count + 1) <= fault.Times ? fault : null;

    private TapeGate Gate(string name) => gates.GetOrAdd(name, _ => new TapeGate());

    private static string Name(TapeScript script) => script.Match.Role is { } role
        ? $"{role}{(script.Match.Attempt is { } attempt ? $"-{attempt}" : "")}{(script.Match.Round is { } round ? $"/{round}" : "")}"
        : "any";

    private UpstreamAnswer Mismatch(string script, int step, string reason)
    {
        var text = $"tape mismatch in script '{script}', step {step}: {reason}";
        lock (reporting)
        {
            mismatches.Add(text);
        }

        return Error(403, "permission_error", text, ("x-should-retry", "false"));
    }

    private UpstreamAnswer Say(Conversation conversation, string text)
    {
        var answer = new AnswerScript("msg_tape", conversation.Model, [new AnswerBlock("text", text)], tape.Defaults.Usage, "end_turn");
        return conversation.Streams ? Stream(answer.Stream(null, null)) : new UpstreamAnswer(200, Json, new MemoryStream(answer.Whole().ToArray()));
    }

    private UpstreamAnswer Stream(IEnumerable<TapeBody.Piece> pieces) =>
        new(200, new Dictionary<string, string> { ["content-type"] = "text/event-stream" }, new TapeBody(pieces, time));

    private static Dictionary<string, string> Json => new() { ["content-type"] = "application/json" };

    private static UpstreamAnswer Answer(int status, JsonObject body) => new(status, Json, new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(body)));

    private static UpstreamAnswer Error(int status, string type, string message, params ReadOnlySpan<(string Name, string? Value)> more)
    {
        var headers = Json;
        foreach (var (name, value) in more)
        {
            if (value is not null)
            {
                headers[name] = value;
            }
        }

        var body = new JsonObject { ["type"] = "error", ["error"] = new JsonObject { ["type"] = type, ["message"] = message } };
        return new UpstreamAnswer(status, headers, new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(body)));
    }

    private static string TypeOf(int status) => status switch
    {
        400 => "invalid_request_error",
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        _ => "api_error",
    };

    private sealed class TapeGate
    {
        public TaskCompletionSource Reached { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Released { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
