using System.Text;

namespace Drella.Core.Secrets;

/// <summary>Takes secrets out of text before it is stored, logged or published. Thread-safe.</summary>
public sealed class Redactor(SecretScanner scanner)
{
    /// <summary>The text with <c>[redacted:rule]</c> in the place of each secret; the same instance when there is none.</summary>
    public string Redact(string text)
    {
        var findings = scanner.Scan(text);
        if (findings.Count == 0)
        {
            return text;
        }

        var result = new StringBuilder(text.Length);
        var at = 0;
        foreach (var finding in findings)
        {
            result.Append(text, at, finding.Start - at).Append("[redacted:").Append(finding.Rule).Append(']');
            at = finding.Start + finding.Length;
        }

        return result.Append(text, at, text.Length - at).ToString();
    }
}
