namespace Drella.Drivers.Forges.GitHub.Wire;

internal sealed record WireCheckRuns(int? TotalCount, WireCheckRun?[]? CheckRuns);

internal sealed record WireCheckRun(string? Name, string? Status, string? Conclusion, string? HtmlUrl, WireCheckOutput? Output);

internal sealed record WireCheckOutput(string? Title, string? Summary);

internal sealed record WireCombinedStatus(int? TotalCount, WireStatus?[]? Statuses);

internal sealed record WireStatus(string? Context, string? State, string? TargetUrl, string? Description);

internal sealed record WireNewStatus(string State, string? TargetUrl, string Description, string Context);
