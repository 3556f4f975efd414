using System.Collections.Frozen;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Drella.Core.Journal;

namespace Drella.Core.Jobs;

/// <summary>
/// Job entries as the journal keeps them: the kind names the case, the payload is its members as JSON with camel-case names.
/// Documented in <c>docs/formats/journal.md</c>. A kind's shape is never changed; a new shape is a new version, read beside the old.
/// </summary>
public static class JobEntryCodec
{
    /// <summary>Most bytes of one entry's payload; the journal takes no larger one.</summary>
    public const int MaxPayload = 1 << 20;

    private const int Version = 1;

    // Text is kept as it is but for what JSON demands, so that a spec in any language takes about the room of its file. Pages escape for themselves.
    private static readonly JobEntryJson Json =
        new(new JsonSerializerOptions(JobEntryJson.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    private static readonly FrozenDictionary<string, JsonTypeInfo> ByKind;
    private static readonly FrozenDictionary<Type, (string Kind, JsonTypeInfo Shape)> ByType;

    static JobEntryCodec()
    {
        var shapes = typeof(JobEntry).GetNestedTypes()
            .Select(type => (type, kind: KindOf(type), shape: Json.GetTypeInfo(type)
                ?? throw new InvalidOperationException($"{type.Name} has no JSON shape")))
            .ToList();
        ByKind = shapes.ToFrozenDictionary(entry => entry.kind, entry => entry.shape);
        ByType = shapes.ToFrozenDictionary(entry => entry.type, entry => (entry.kind, entry.shape));
    }

    /// <summary>Every kind that is written, in alphabetical order.</summary>
    public static IEnumerable<string> Kinds => ByKind.Keys.Order(StringComparer.Ordinal);

    public static NewEntry Encode(JobEntry entry)
    {
        var (kind, shape) = ByType[entry.GetType()];
        return new NewEntry(kind, Version, JsonSerializer.SerializeToUtf8Bytes(entry, shape));
    }

    /// <summary>True when the entry is small enough for the journal.</summary>
    public static bool Fits(JobEntry entry) => Encode(entry).Payload.Length <= MaxPayload;

    /// <summary>Reads an entry; throws <see cref="InvalidDataException"/> for a kind or version that this build does not know.</summary>
    public static JobEntry Decode(Entry entry)
    {
        if (entry.Version != Version || !ByKind.TryGetValue(entry.Kind, out var shape))
        {
            throw new InvalidDataException(
                $"{entry.Stream} entry {entry.Sequence} is of kind '{entry.Kind}' version {entry.Version}, which this version of drella does not know; use the version that wrote it, or a newer one");
        }

        return (JobEntry)(JsonSerializer.Deserialize(entry.Payload.Span, shape) ?? throw new InvalidDataException($"{entry.Stream} entry {entry.Sequence} is empty"));
    }

    // StepStarted -> step.started: the last capital begins the verb.
    private static string KindOf(Type type)
    {
        var words = System.Text.RegularExpressions.Regex.Split(type.Name, "(?<!^)(?=[A-Z])");
        return string.Join('.', words).ToLowerInvariant();
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(JobEntry.Opened), TypeInfoPropertyName = "Opened")]
[JsonSerializable(typeof(JobEntry.Admitted), TypeInfoPropertyName = "Admitted")]
[JsonSerializable(typeof(JobEntry.StepStarted), TypeInfoPropertyName = "StepStarted")]
[JsonSerializable(typeof(JobEntry.StepSucceeded), TypeInfoPropertyName = "StepSucceeded")]
[JsonSerializable(typeof(JobEntry.StepFailed), TypeInfoPropertyName = "StepFailed")]
[JsonSerializable(typeof(JobEntry.StepAbandoned), TypeInfoPropertyName = "StepAbandoned")]
[JsonSerializable(typeof(JobEntry.BaseResolved), TypeInfoPropertyName = "BaseResolved")]
[JsonSerializable(typeof(JobEntry.SandboxReady), TypeInfoPropertyName = "SandboxReady")]
[JsonSerializable(typeof(JobEntry.WorkspaceSynced), TypeInfoPropertyName = "WorkspaceSynced")]
[JsonSerializable(typeof(JobEntry.AgentStarted), TypeInfoPropertyName = "AgentStarted")]
[JsonSerializable(typeof(JobEntry.AgentEnded), TypeInfoPropertyName = "AgentEnded")]
[JsonSerializable(typeof(JobEntry.Harvested), TypeInfoPropertyName = "Harvested")]
[JsonSerializable(typeof(JobEntry.Proposed), TypeInfoPropertyName = "Proposed")]
[JsonSerializable(typeof(JobEntry.HeadPublished), TypeInfoPropertyName = "HeadPublished")]
[JsonSerializable(typeof(JobEntry.PullRequestOpened), TypeInfoPropertyName = "PullRequestOpened")]
[JsonSerializable(typeof(JobEntry.ReadyMarked), TypeInfoPropertyName = "ReadyMarked")]
[JsonSerializable(typeof(JobEntry.VerdictGiven), TypeInfoPropertyName = "VerdictGiven")]
[JsonSerializable(typeof(JobEntry.RoundOpened), TypeInfoPropertyName = "RoundOpened")]
[JsonSerializable(typeof(JobEntry.FeedbackReceived), TypeInfoPropertyName = "FeedbackReceived")]
[JsonSerializable(typeof(JobEntry.FeedbackTaken), TypeInfoPropertyName = "FeedbackTaken")]
[JsonSerializable(typeof(JobEntry.ReplyProposed), TypeInfoPropertyName = "ReplyProposed")]
[JsonSerializable(typeof(JobEntry.FeedbackSettled), TypeInfoPropertyName = "FeedbackSettled")]
[JsonSerializable(typeof(JobEntry.PullRequestSeen), TypeInfoPropertyName = "PullRequestSeen")]
[JsonSerializable(typeof(JobEntry.PullRequestLeft), TypeInfoPropertyName = "PullRequestLeft")]
[JsonSerializable(typeof(JobEntry.CallReserved), TypeInfoPropertyName = "CallReserved")]
[JsonSerializable(typeof(JobEntry.CallRefused), TypeInfoPropertyName = "CallRefused")]
[JsonSerializable(typeof(JobEntry.CallSettled), TypeInfoPropertyName = "CallSettled")]
[JsonSerializable(typeof(JobEntry.BudgetRaised), TypeInfoPropertyName = "BudgetRaised")]
[JsonSerializable(typeof(JobEntry.WaitBegan), TypeInfoPropertyName = "WaitBegan")]
[JsonSerializable(typeof(JobEntry.WaitEnded), TypeInfoPropertyName = "WaitEnded")]
[JsonSerializable(typeof(JobEntry.QuestionAsked), TypeInfoPropertyName = "QuestionAsked")]
[JsonSerializable(typeof(JobEntry.QuestionAnswered), TypeInfoPropertyName = "QuestionAnswered")]
[JsonSerializable(typeof(JobEntry.ProgressReported), TypeInfoPropertyName = "ProgressReported")]
[JsonSerializable(typeof(JobEntry.ToolRequested), TypeInfoPropertyName = "ToolRequested")]
[JsonSerializable(typeof(JobEntry.ToolAnswered), TypeInfoPropertyName = "ToolAnswered")]
[JsonSerializable(typeof(JobEntry.DoorUsed), TypeInfoPropertyName = "DoorUsed")]
[JsonSerializable(typeof(JobEntry.StatusReported), TypeInfoPropertyName = "StatusReported")]
[JsonSerializable(typeof(JobEntry.Steered), TypeInfoPropertyName = "Steered")]
[JsonSerializable(typeof(JobEntry.CancelRequested), TypeInfoPropertyName = "CancelRequested")]
[JsonSerializable(typeof(JobEntry.Concluded), TypeInfoPropertyName = "Concluded")]
[JsonSerializable(typeof(JobEntry.Reopened), TypeInfoPropertyName = "Reopened")]
[JsonSerializable(typeof(JobEntry.SandboxReleased), TypeInfoPropertyName = "SandboxReleased")]
[JsonSerializable(typeof(JobEntry.SandboxEntered), TypeInfoPropertyName = "SandboxEntered")]
internal sealed partial class JobEntryJson : JsonSerializerContext;
