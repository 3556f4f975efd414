namespace Gjoll.Tests.Soak;

/// <summary>The same tests run a small share in every run, and their whole length by <c>./test soak</c>.</summary>
internal static class SoakLength
{
    private const string Variable = "GJOLL_SOAK";

    public static int Of(int share, int whole) => Environment.GetEnvironmentVariable(Variable) == "1" ? whole : share;
}
