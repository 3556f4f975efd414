namespace Drella.Core.Intake;

/// <summary>The folders of a tasks repository.</summary>
public static class TasksLayout
{
    public const string InProgress = "in-progress";
    public const string Done = "done";

    /// <summary>Where a spec goes when it is merged; null for a path outside of <c>in-progress/</c>.</summary>
    public static string? DonePath(string path) =>
        path.StartsWith(InProgress + "/", StringComparison.Ordinal) ? Done + path[InProgress.Length..] : null;
}
