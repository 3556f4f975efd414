using Gjoll.Wire;

namespace Gjoll.Guest.Programs;

internal static class ProgramId
{
    public static bool IsValid(string id) =>
        id is { Length: > 0 and <= WireLimits.MaxIdLength } && id.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.');
}
