namespace Gjoll.Channel;

/// <summary>The two programs that are compiled for the machine: what runs in every guest, and what stands between it and the host.</summary>
public sealed class NativePrograms(string? folder)
{
    /// <summary>Says where they are when they are not beside the app.</summary>
    public const string Variable = "GJOLL_NATIVE";

    public string Guest => Find("gjoll-guest");

    public string Warden => Find("gjoll-warden");

    /// <exception cref="GjollException">It is nowhere; the message says how to make it.</exception>
    private string Find(string program)
    {
        string?[] folders = [folder, Environment.GetEnvironmentVariable(Variable), Path.Combine(AppContext.BaseDirectory, "native")];
        return folders.Where(place => !string.IsNullOrEmpty(place)).Select(place => Path.Combine(place!, program)).FirstOrDefault(File.Exists)
            ?? throw new GjollException($"The program {program} is not there: make it with scripts/native, or name its folder in {Variable}.");
    }
}
