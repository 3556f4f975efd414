using System.Globalization;
using Drella.Core;
using Drella.Core.Forges;

namespace Drella.Drivers.Forges.GitHub;

/// <summary>
/// Builds paths from hostile parts: <c>{x}</c> is one segment, <c>{x:path}</c> several, <c>{x:q}</c> a query value. Whatever the text, it cannot
/// leave its place in the path.
/// </summary>
internal sealed class UrlFormat : IFormatProvider, ICustomFormatter
{
    private static readonly UrlFormat Instance = new();

    public static string Url(FormattableString path) => path.ToString(Instance);

    public object? GetFormat(Type? formatType) => formatType == typeof(ICustomFormatter) ? this : null;

    public string Format(string? format, object? arg, IFormatProvider? formatProvider) => (format, arg) switch
    {
        (_, RepoName repo) => $"{Segment(repo.Owner)}/{Segment(repo.Name)}",
        ("q", _) => Uri.EscapeDataString(Text(arg)),
        ("path", _) => string.Join('/', Text(arg).Split('/').Select(Segment)),
        _ => Segment(Text(arg)),
    };

    private static string Segment(string text) =>
        text is "" or "." or ".." || text.Any(char.IsControl)
            ? throw new DriverException(isTransient: false, $"'{Plain.Line(text, 100)}' cannot stand in an address") { Failure = DriverFailure.Invalid }
            : Uri.EscapeDataString(text);

    private static string Text(object? arg) => arg switch
    {
        null => "",
        IFormattable value => value.ToString(null, CultureInfo.InvariantCulture),
        _ => arg.ToString() ?? "",
    };
}
