using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Drella.Gateway.Tapes;

/// <summary>A scripted scenario: what the model says to whom. Format: docs/formats/tape.md.</summary>
public sealed record Tape
{
    public TapeDefaults Defaults { get; init; } = new();

    public required IReadOnlyList<TapeScript> Scripts { get; init; }
}

public sealed record TapeDefaults
{
    public TapeUsage Usage { get; init; } = new(1200, 80);
}

/// <summary>Token counts that an answer claims.</summary>
public sealed record TapeUsage(long In, long Out);

public sealed record TapeScript
{
    public required TapeMatch Match { get; init; }

    public required IReadOnlyList<TapeStep> Steps { get; init; }

    /// <summary>Names the script inside tool call ids: the same in every process that loads the same tape.</summary>
    internal string Hash => field ??= Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(Match))))[..8];
}

/// <summary>Whom a script is for. What is absent matches everything; the most exact match wins, then the first.</summary>
public sealed record TapeMatch
{
    public string? Role { get; init; }

    public int? Attempt { get; init; }

    public int? Round { get; init; }

    public string? Repo { get; init; }

    /// <summary>Part of the job's title.</summary>
    public string? Title { get; init; }

    /// <summary>For the agent's own subagents instead of the agent.</summary>
    public bool Subagent { get; init; }
}

/// <summary>One model turn.</summary>
public sealed record TapeStep
{
    public string? Say { get; init; }

    public string? Think { get; init; }

    public IReadOnlyList<TapeOp> Do { get; init; } = [];

    /// <summary>Arguments of the factory's submit_verdict.</summary>
    public JsonObject? Final { get; init; }

    public TapeExpect? Expect { get; init; }

    public TapeUsage? Usage { get; init; }

    public string? Stop { get; init; }

    public int DelayMs { get; init; }

    public TapeChunk? Chunk { get; init; }

    public TapeFault? Fault { get; init; }

    /// <summary>A number of times, or <c>forever</c>.</summary>
    public JsonNode? Repeat { get; init; }

    /// <summary>Variables taken from the last tool result: name and pattern, whose first group counts.</summary>
    public IReadOnlyDictionary<string, string> Set { get; init; } = new Dictionary<string, string>();

    /// <summary>The step waits until the test releases this gate.</summary>
    public string? Gate { get; init; }

    internal bool CallsTools => Do.Count > 0 || Final is not null;

    internal bool HasContent => Say is not null || Think is not null || CallsTools;

    internal long Times => Repeat switch
    {
        null => 1,
        JsonValue value when value.TryGetValue<long>(out var times) => times,
        _ => long.MaxValue,
    };
}

public sealed record TapeChunk(int Chars, int DelayMs = 0);

/// <summary>One tool call: an operation that each agent's dialect renders, or a literal tool.</summary>
public sealed record TapeOp
{
    public string? Op { get; init; }

    public string? Path { get; init; }

    public string? Content { get; init; }

    public string? Old { get; init; }

    public string? New { get; init; }

    public string? Cmd { get; init; }

    public string? Server { get; init; }

    public string? Tool { get; init; }

    public JsonObject? Args { get; init; }

    /// <summary>Sent as the arguments as it is, for broken JSON.</summary>
    public string? RawArgs { get; init; }
}

/// <summary>What the request must show before the step is served.</summary>
public sealed record TapeExpect
{
    public TapeText? Prompt { get; init; }

    public TapeText? System { get; init; }

    public TapeText? LastToolResult { get; init; }

    public TapeText? Model { get; init; }

    public IReadOnlyList<string> ToolsInclude { get; init; } = [];
}

public sealed record TapeText
{
    public string? Contains { get; init; }

    public string? Matches { get; init; }

    public string? NotMatches { get; init; }

    public bool? Ok { get; init; }
}

/// <summary>Trouble, <see cref="Times"/> times, before the step's own content is served.</summary>
public sealed record TapeFault
{
    public int? Status { get; init; }

    public string? ErrorType { get; init; }

    public string? RetryAfter { get; init; }

    public int Times { get; init; } = 1;

    /// <summary>beforeHeaders, afterHeaders or midBlock.</summary>
    public string? Hang { get; init; }

    public bool Drop { get; init; }

    public int? CutAfterBlocks { get; init; }

    public string? RawSse { get; init; }
}
