using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Drella.Drivers.Forges.GitHub.Wire;

/// <summary>Generated serialisers of the wire types.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, MaxDepth = 32)]
[JsonSerializable(typeof(WireUser))]
[JsonSerializable(typeof(WireApp))]
[JsonSerializable(typeof(WireRepository))]
[JsonSerializable(typeof(WirePermission))]
[JsonSerializable(typeof(WireInstallation))]
[JsonSerializable(typeof(WireTokenRequest))]
[JsonSerializable(typeof(WireToken))]
[JsonSerializable(typeof(WireRef))]
[JsonSerializable(typeof(WireTree))]
[JsonSerializable(typeof(WireBlob))]
[JsonSerializable(typeof(WireGitCommit))]
[JsonSerializable(typeof(WireObject))]
[JsonSerializable(typeof(WireCommit[]))]
[JsonSerializable(typeof(WireNewTree))]
[JsonSerializable(typeof(WireNewCommit))]
[JsonSerializable(typeof(WireMoveRef))]
[JsonSerializable(typeof(WireHook[]))]
[JsonSerializable(typeof(WireNewHook))]
[JsonSerializable(typeof(WireHookChange))]
[JsonSerializable(typeof(WireIssue[]))]
[JsonSerializable(typeof(WireNewIssue))]
[JsonSerializable(typeof(WireIssueChange))]
[JsonSerializable(typeof(WireComment[]))]
[JsonSerializable(typeof(WireBody))]
[JsonSerializable(typeof(WireInlineComment[]))]
[JsonSerializable(typeof(WireNewReply))]
[JsonSerializable(typeof(WireReview[]))]
[JsonSerializable(typeof(WireNewReview))]
[JsonSerializable(typeof(WireReaction))]
[JsonSerializable(typeof(WirePull[]))]
[JsonSerializable(typeof(WireNewPull))]
[JsonSerializable(typeof(WirePullChange))]
[JsonSerializable(typeof(WireFile[]))]
[JsonSerializable(typeof(WireCheckRuns))]
[JsonSerializable(typeof(WireCombinedStatus))]
[JsonSerializable(typeof(WireNewStatus))]
[JsonSerializable(typeof(WireGraphRequest))]
[JsonSerializable(typeof(WireGraphReply<WireGraphNothing>))]
[JsonSerializable(typeof(WireGraphReply<WireThreadsData>))]
[JsonSerializable(typeof(WireError))]
[JsonSerializable(typeof(JsonObject))]
internal sealed partial class WireJson : JsonSerializerContext
{
    public static JsonTypeInfo<T> Of<T>() => (JsonTypeInfo<T>)Default.GetTypeInfo(typeof(T))!;
}
