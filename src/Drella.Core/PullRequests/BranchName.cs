using Drella.Core.Jobs;

namespace Drella.Core.PullRequests;

/// <summary>The branch of a job's pull request: made by the host from the job, so that looking for it finds it.</summary>
public static class BranchName
{
    private const int MaxSlug = 40;

    public static string For(string prefix, Job job) => $"{prefix}{Slug(job.Request.Title)}-{job.Id.Value[1..9]}";

    /// <summary>Lower-case letters, digits and single dashes; never empty.</summary>
    public static string Slug(string title)
    {
        var text = new System.Text.StringBuilder();
        foreach (var c in title.ToLowerInvariant())
        {
            if (char.IsAsciiLetterOrDigit(c))
            {
                text.Append(c);
            }
            else if (text.Length > 0 && text[^1] != '-')
            {
                text.Append('-');
            }

            if (text.Length >= MaxSlug)
            {
                break;
            }
        }

        var slug = text.ToString().Trim('-');
        return slug.Length == 0 ? "change" : slug;
    }
}
