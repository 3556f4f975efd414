using Drella.Core.Agents;
using Drella.Core.Sandboxes;

namespace Drella.Drivers.Agents.ClaudeCode;

/// <summary>Gathers what tells how the run ended, and decides.</summary>
internal sealed class ClaudeEnding
{
    private const int MaxDetail = 2000;
    private ClaudeResult? _result;
    private string _failure = "";
    private string _lastWords = "";
    private string? _deadToolServer;

    /// <summary>A result came, nothing was opened after it, and the agent has no queued order.</summary>
    public bool IsFinished => _result is { QueuedTurns: 0 };

    public void TurnOpened(IReadOnlyList<ToolServerState> servers)
    {
        _result = null;
        _failure = "";
        _deadToolServer = servers.FirstOrDefault(server => server.Name == "factory" && server.Status != "connected")?.Status;
    }

    public void Said(string text, string? subagent)
    {
        if (subagent is null)
        {
            _lastWords = text;
        }
    }

    public void Failed(string failure, string text) => (_failure, _lastWords) = (failure, text);

    public void TurnEnded(ClaudeResult result) => _result = result;

    public AgentResult Decide(GuestExit exit, string errorTail)
    {
        var outcome = _result is null ? WithoutResult(exit) : WithResult(_result);
        var detail = Describe(exit);
        if (_deadToolServer is not null && outcome is AgentOutcome.Completed or AgentOutcome.NoResult)
        {
            outcome = AgentOutcome.Crashed;
            detail = $"tools unavailable: factory is '{_deadToolServer}'; {detail}";
        }

        if (outcome is AgentOutcome.Crashed or AgentOutcome.NoResult && errorTail.Length > 0)
        {
            detail = $"{detail}; {errorTail.Trim()}";
        }

        var text = _result is { Summary.Length: > 0 } result ? result.Summary : _lastWords;
        return new AgentResult(outcome, text, detail.Length <= MaxDetail ? detail : detail[..MaxDetail]);
    }

    // Exit codes lie in both directions: 0 after an interrupt, 1 after a result that says all.
    private static AgentOutcome WithoutResult(GuestExit exit) => exit switch
    {
        { Signal: not null } or { Code: 137 or 143 } => AgentOutcome.Killed,
        { Code: 0 or null } => AgentOutcome.NoResult,
        _ => AgentOutcome.Crashed,
    };

    private AgentOutcome WithResult(ClaudeResult result) => (result.Reason, result.IsError) switch
    {
        ("completed" or "", false) when result.Subtype == "success" =>
            result.StopReason == "refusal" ? AgentOutcome.Refused : AgentOutcome.Completed,
        ("max_turns", _) => AgentOutcome.MaxTurns,
        ("budget_exhausted", _) => AgentOutcome.BudgetExhausted,
        ("prompt_too_long" or "blocking_limit", _) => AgentOutcome.PromptTooLong,
        ("aborted_tools" or "aborted_streaming", _) => AgentOutcome.Interrupted,
        ("api_error", _) => ApiFailure(result),
        ("model_error" or "image_error" or "structured_output_retry_exhausted" or "malformed_tool_use_exhausted", _) => AgentOutcome.ModelError,
        _ => AgentOutcome.Crashed,
    };

    private AgentOutcome ApiFailure(ClaudeResult result) => (_failure, result.ErrorType, result.Status) switch
    {
        ("billing_error", _, _) or (_, "billing_error", _) => AgentOutcome.BudgetExhausted,
        ("authentication_failed", _, _) or (_, "authentication_error" or "permission_error", _) or (_, _, 401 or 403) => AgentOutcome.AuthFailed,
        ("rate_limit" or "overloaded", _, _) or (_, "rate_limit_error" or "overloaded_error", _) or (_, _, 429 or 529) => AgentOutcome.RateLimited,
        _ => AgentOutcome.ModelError,
    };

    private string Describe(GuestExit exit)
    {
        var how = exit.Signal is { } signal ? $"signal {signal}" : $"exit {exit.Code?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "unknown"}";
        return _result is null
            ? $"no result; {how}"
            : $"{_result.Subtype}/{_result.Reason}; error {(_failure.Length > 0 ? _failure : "none")} {_result.ErrorType} {_result.Status}; {how}";
    }
}
