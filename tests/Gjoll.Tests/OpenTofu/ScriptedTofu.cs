using Gjoll.OpenTofu;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gjoll.Tests.OpenTofu;

/// <summary>The provider over the script that stands for <c>tofu</c>, whose machines are a real sshd each: no cloud is needed, and everything else is what users have.</summary>
internal static class ScriptedTofu
{
    public static OpenTofuProvider Make(string stateFolder, IReadOnlyDictionary<string, string>? environment = null) => new(
        new OpenTofuOptions
        {
            StateFolder = stateFolder,
            Program = Path.Combine(AppContext.BaseDirectory, "OpenTofu", "tofu"),
            Environment = environment ?? new Dictionary<string, string>(),
            ConnectTimeout = TimeSpan.FromMinutes(1),
            ConnectPoll = TimeSpan.FromMilliseconds(100),
        },
        TimeProvider.System,
        NullLogger<OpenTofuProvider>.Instance);

    /// <summary>A user's file, whose machine can be stopped where it declares the variable for that.</summary>
    public static string WriteSource(string folder, bool canStop = true)
    {
        var file = Path.Combine(folder, "machine.tf");
        File.WriteAllText(file, $"variable \"gjoll_name\" {{}}\nvariable \"gjoll_ssh_pubkey\" {{}}\n{(canStop ? "variable \"gjoll_instance_state\" {}\n" : "")}");
        return file;
    }
}
