namespace Gjoll.Tests;

internal static class TestHost
{
    /// <summary>Short, since paths of unix sockets are.</summary>
    public static string MakeFolder() => Directory.CreateTempSubdirectory("gj").FullName;
}
