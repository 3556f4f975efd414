using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Gjoll.Hosts;

namespace Gjoll.OpenTofu;

/// <summary>Runs <c>tofu</c> on the copy of the user's files that belongs to one sandbox.</summary>
internal sealed partial class Tofu(OpenTofuOptions options, TofuFolders folders, SandboxName name)
{
    private const int MaxFiles = 200;

    /// <summary>Takes the user's file, or all files of OpenTofu in the folder that it is.</summary>
    public void CopySource(string source)
    {
        Directory.CreateDirectory(folders.Terraform(name), Modes.Owner);
        List<string> files = File.Exists(source) ? [source] : Directory.Exists(source)
            ? [.. Directory.EnumerateFiles(source).Where(file => file.EndsWith(".tf", StringComparison.Ordinal) || file.EndsWith(".tfvars", StringComparison.Ordinal) || file.EndsWith(".terraform.lock.hcl", StringComparison.Ordinal))]
            : throw new GjollException($"There is no OpenTofu file {source}.");
        if (files.Count is 0 or > MaxFiles)
        {
            throw new GjollException($"{source} holds {files.Count} files of OpenTofu; it must be from 1 to {MaxFiles}.");
        }

        foreach (var file in files)
        {
            File.Copy(file, Path.Combine(folders.Terraform(name), Path.GetFileName(file)), overwrite: true);
        }
    }

    /// <summary>Without it the machine can be made and destroyed, but not stopped.</summary>
    public bool CanStop() => Directory.EnumerateFiles(folders.Terraform(name), "*.tf").Any(file => StateVariable().IsMatch(File.ReadAllText(file)));

    public void WriteVariables(string publicKey, bool isRunning)
    {
        var variables = new Dictionary<string, string> { ["gjoll_name"] = name.Value, ["gjoll_ssh_pubkey"] = publicKey.Trim() };
        if (CanStop())
        {
            variables["gjoll_instance_state"] = isRunning ? "running" : "stopped";
        }

        var draft = folders.Variables(name) + ".new";
        File.WriteAllText(draft, JsonSerializer.Serialize(variables, VariablesJson.Default.DictionaryStringString));
        File.Move(draft, folders.Variables(name), overwrite: true);
    }

    public Task InitAsync(CancellationToken cancellationToken) => RunAsync(["init", "-input=false", "-no-color"], cancellationToken);

    /// <summary>A second time after looking at the world anew: what a cloud did by itself meanwhile is no reason to fail.</summary>
    public async Task ApplyAsync(CancellationToken cancellationToken)
    {
        try
        {
            await RunAsync(["apply", "-auto-approve", "-input=false", "-no-color"], cancellationToken);
        }
        catch (GjollException)
        {
            await RunAsync(["apply", "-refresh-only", "-auto-approve", "-input=false", "-no-color"], cancellationToken);
            await RunAsync(["apply", "-auto-approve", "-input=false", "-no-color"], cancellationToken);
        }
    }

    public Task DestroyAsync(CancellationToken cancellationToken) => RunAsync(["destroy", "-auto-approve", "-input=false", "-no-color"], cancellationToken);

    public async Task<TofuOutputs> OutputsAsync(CancellationToken cancellationToken) => TofuOutputs.Parse(await RunAsync(["output", "-json", "-no-color"], cancellationToken));

    public static async Task<string> VersionAsync(OpenTofuOptions options, CancellationToken cancellationToken) =>
        (await HostProcess.RunAsync([options.Program, "version"], cancellationToken)).Split('\n')[0].Trim();

    private async Task<string> RunAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        var environment = new Dictionary<string, string>(options.Environment, StringComparer.Ordinal) { ["TF_IN_AUTOMATION"] = "1", [Marking.Variable] = folders.Marker(name) };
        var process = HostProcess.Start([options.Program, $"-chdir={folders.Terraform(name)}", .. arguments], environment);
        process.StandardInput.Close();
        using var bounded = new CancellationTokenSource(options.ApplyTimeout);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, bounded.Token);
        var output = new StringBuilder();
        var error = new TailBuffer(4 * 1024);
        try
        {
            await Task.WhenAll(ReadAsync(process.StandardOutput, output, quiet: arguments[0] == "output", either.Token), error.ReadAllAsync(process.StandardError.BaseStream, either.Token));
            await process.WaitForExitAsync(either.Token);
            return process.ExitCode == 0
                ? output.ToString()
                : throw new GjollException($"'tofu {arguments[0]}' ended with code {process.ExitCode}: {Printable.Of(error.ToString())}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new GjollException($"'tofu {arguments[0]}' did not end within {options.ApplyTimeout}.");
        }
        finally
        {
            if (!process.HasExited)
            {
                // It writes down what it has made so far when it is asked to end.
                ProcessTable.SignalTerminate(ProcessTable.Identify(process.Id)!);
                using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
                await process.WaitForExitAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                process.Kill();
            }

            HostProcess.Release(process);
        }
    }

    private async Task ReadAsync(StreamReader reader, StringBuilder output, bool quiet, CancellationToken cancellationToken)
    {
        const int Longest = 1 << 20;
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            if (output.Length < Longest)
            {
                output.Append(line).Append('\n');
            }

            if (!quiet && line.Length > 0)
            {
                options.Progress?.Invoke(Printable.Of(line));
            }
        }
    }

    [GeneratedRegex("""variable\s+"gjoll_instance_state"\s*\{""", RegexOptions.CultureInvariant)]
    private static partial Regex StateVariable();
}

[System.Text.Json.Serialization.JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class VariablesJson : System.Text.Json.Serialization.JsonSerializerContext;
