using System.CommandLine;
using Drella.Configuration;
using Drella.Daemon;
using Drella.Demo;
using Drella.Terminal;
using Microsoft.Extensions.Logging;

namespace Drella.Verbs;

/// <summary><c>up</c> and <c>demo</c>: the verbs that are the factory.</summary>
internal static class DaemonVerbs
{
    public static IEnumerable<Command> All(Shell shell)
    {
        var sandbox = new Option<string?>("--sandbox") { Description = "What jobs run in: auto, qemu or bubblewrap (default: as configured)" };
        sandbox.AcceptOnlyFromAmong([.. SandboxConfig.Providers]);
        yield return shell.Verb("up", "Run the factory: daemon, built-in forge, dashboard", call => UpAsync(call, sandbox), sandbox);

        var live = new Option<bool>("--live") { Description = "Ask the real model; needs ANTHROPIC_API_KEY" };
        var keep = new Option<bool>("--keep") { Description = "Go on serving when it is over" };
        var machine = new Option<bool>("--vm") { Description = "In a virtual machine, also where it is emulated and slow; builds its image when there is none" };
        var folder = new Option<DirectoryInfo?>("--folder") { Description = "Where everything goes (default: a fresh folder under the temporary folder)" };
        yield return shell.Verb(
            "demo",
            "Do the main job once, from a merged spec to a merged pull request, and show it",
            call => DemoAsync(call, new DemoOptions(call.Value(live), call.Speaker.IsJson, call.Value(keep), call.Value(folder)?.FullName, Provider(call, sandbox, machine))),
            live,
            keep,
            sandbox,
            machine,
            folder);
    }

    private static string Provider(Call call, Option<string?> sandbox, Option<bool> machine) =>
        !call.Value(machine) ? call.Value(sandbox) ?? "auto"
        : call.Value(sandbox) is null or SandboxChoice.Qemu ? SandboxChoice.Qemu
        : throw new VerbFailure(ExitCode.Usage, "--vm and --sandbox ask for different things; leave one out");

    private static async Task<ExitCode> DemoAsync(Call call, DemoOptions options)
    {
        if (options.Folder is { } folder && (File.Exists(folder) || (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())))
        {
            throw new VerbFailure(ExitCode.Refused, $"--folder: {folder} is not empty and is left alone; name a folder that is not there yet");
        }

        return await new DemoRun(options, call.Speaker.Output, call.Speaker.Talk, TimeProvider.System).RunAsync(call.Cancellation) ? ExitCode.Ok : ExitCode.Failed;
    }

    private static async Task<ExitCode> UpAsync(Call call, Option<string?> sandbox)
    {
        var config = call.Config();
        if (call.Value(sandbox) is { } provider)
        {
            config = config with { Sandbox = config.Sandbox with { Provider = provider } };
        }

        using var loggers = LoggerFactory.Create(builder => builder
            .SetMinimumLevel(call.Verbose ? LogLevel.Debug : LogLevel.Information)
            .AddFilter("Microsoft", LogLevel.Warning)
            .AddFilter("ModelContextProtocol", LogLevel.Warning)
            .AddProvider(new TalkLog(call.Speaker.Talk, TimeProvider.System)));
        await using var daemon = await Daemon.Daemon.StartAsync(config, TimeProvider.System, loggers, call.Cancellation);
        var probe = await daemon.Sandboxes.ProbeAsync(call.Cancellation);
        call.Speaker.Say(probe.Works
            ? $"sandbox    {probe.Provider}; not contained: {string.Join(" ", probe.NotContained)}"
            : throw new StartFailure($"sandboxes do not work here: {probe.Problem}. {probe.Remedy}"));
        foreach (var note in probe.Notes)
        {
            call.Speaker.Say($"           {note}");
        }

        await using var web = await WebHost.StartAsync(daemon, TimeProvider.System, loggers, call.Cancellation);
        call.Speaker.Say($"dashboard  {web.LoginUrl}");
        if (daemon.Builtin is { } forge)
        {
            call.Speaker.Say($"forge      {forge.Url} (user {BuiltinForge.Human}, token in {Path.Combine(config.DataFolder, "secrets", "forge-operator")})");
        }

        var journal = Path.Combine(config.DataFolder, "journal.db");
        call.Speaker.Say($"journal    {journal}");
        if (call.Speaker.IsJson)
        {
            call.Speaker.Data(new { dashboard = web.LoginUrl, forge = daemon.Builtin?.Url.ToString(), journal, sandbox = probe.Provider }, _ => { });
        }

        await daemon.RunAsync(call.Cancellation);
        return ExitCode.Ok;
    }
}
