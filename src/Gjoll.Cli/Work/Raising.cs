using Gjoll.Cli.Terminal;
using Gjoll.Environments;
using Gjoll.OpenTofu;

namespace Gjoll.Cli.Work;

/// <summary>From an environment to a sandbox that is ready: record first, then the sandbox, its start, its files and its script.</summary>
internal sealed class Raising(House house, Speaker speaker, bool verbose)
{
    private readonly DoorKeeping _doors = new(house, verbose);
    private readonly Progress _progress = new(speaker, house.Time);

    /// <param name="File">Where it was read from.</param>
    /// <param name="Text">As it was read.</param>
    /// <param name="WithInit">False leaves the script out.</param>
    public sealed record Order(SandboxName Name, SandboxEnvironment Environment, string File, string Text, string? Provider, bool WithInit);

    public async Task<ISandbox> RaiseAsync(Order order, CancellationToken cancellationToken)
    {
        using var held = await house.LockAsync(order.Name, cancellationToken);
        RefuseExisting(order.Name);
        var isTofu = order.Environment.Provider == House.OpenTofu;
        if (isTofu != (order.Provider == House.OpenTofu) && order.Provider is not null)
        {
            throw new VerbFailure(ExitCode.Usage, isTofu ? "A .tf file is for the opentofu provider." : "The opentofu provider needs a .tf file as environment.");
        }

        var provider = await ChooseAsync(order, cancellationToken);
        var instance = new Instance
        {
            Name = order.Name.Value,
            Provider = provider.Name,
            Created = house.Time.GetUtcNow(),
            Stage = InstanceStage.Creating,
            EnvironmentFile = order.File,
            Environment = order.Text,
        };
        house.Instances.Write(instance);
        try
        {
            var sandbox = await _progress.DoAsync($"making {order.Name}", () => provider.CreateAsync(order.Environment.ToSpec(order.Name), cancellationToken));
            await _doors.EnsureAsync(order.Name, order.Environment, cancellationToken);
            await _progress.DoAsync($"starting {order.Name}", () => sandbox.StartAsync(cancellationToken));
            await FillAsync(sandbox, order, cancellationToken);
            house.Instances.Write(house.Demand(order.Name) with { Stage = InstanceStage.Ready });
            return sandbox;
        }
        catch (Exception failure) when (failure is GjollException or VerbFailure or ArgumentException or IOException or OperationCanceledException)
        {
            house.Instances.Write(house.Demand(order.Name) with { Stage = InstanceStage.Failed, Problem = failure is OperationCanceledException ? "It was interrupted." : failure.Message });
            speaker.Say($"{order.Name} is not ready; 'gjoll logs {order.Name}' shows what there is, 'gjoll down {order.Name}' removes it.");
            throw;
        }
    }

    /// <summary>The provider that was named when it works, or the strongest that does; says why. It is tried with the image that it is to boot.</summary>
    private async Task<ISandboxProvider> ChooseAsync(Order order, CancellationToken cancellationToken)
    {
        house.Image = order.Environment is { Image: { } image, Provider: not House.OpenTofu } ? image : house.Image;
        var name = order.Provider ?? order.Environment.Provider;
        IReadOnlyList<string> candidates = name is not (null or "auto") ? [name]
            // Nothing weaker takes the place of a machine when the environment says what it boots, or that it has booted already.
            : order.Environment.Image is not null || order.Environment.Warm == WarmStart.Demand ? [House.Qemu]
            : House.Ranking;
        var choice = await _progress.DoAsync("trying what works here", () => ProviderChooser.ChooseAsync(candidates.Select(house.Provider), cancellationToken));
        var provider = choice.Demand();
        foreach (var reason in choice.Reasons)
        {
            speaker.Say(reason);
        }

        foreach (var sentence in choice.Tried[^1].Report.Warnings)
        {
            speaker.Say($"warning: {sentence}");
        }

        foreach (var sentence in choice.Tried[^1].Report.NotContained)
        {
            speaker.Say($"not contained: {sentence}");
        }

        return provider;
    }

    private void RefuseExisting(SandboxName name)
    {
        if (house.Instances.Read(name) is { } existing)
        {
            throw new VerbFailure(ExitCode.Refused, existing.Stage == InstanceStage.Ready
                ? $"The sandbox {name} exists already: 'gjoll start {name}' starts it, 'gjoll down {name}' removes it, -n gives another name."
                : $"An earlier 'gjoll up' of {name} did not succeed{(existing.Problem is { } problem ? $" ({TerminalText.Line(problem, 200)})" : "")}: 'gjoll down {name}' removes what is left.");
        }
    }

    private async Task FillAsync(ISandbox sandbox, Order order, CancellationToken cancellationToken)
    {
        if (order.Environment.Provider == House.OpenTofu && house.Provider(House.OpenTofu) is OpenTofuProvider tofu && tofu.OutputsOf(order.Name) is { } outputs)
        {
            order = order with { Environment = Doors.FromOutputs(order.Environment, outputs, Path.GetDirectoryName(order.File)!) };
            await _doors.EnsureAsync(order.Name, order.Environment, cancellationToken);
        }

        foreach (var file in order.Environment.Files)
        {
            speaker.Say($"writing {file.Path}");
            if (file.From is { } folder && Directory.Exists(folder))
            {
                await sandbox.CopyInAsync(folder, file.Path, cancellationToken);
                continue;
            }

            await using var content = file.From is { } from ? File.OpenRead(from) : (Stream)new MemoryStream(System.Text.Encoding.UTF8.GetBytes(file.Content!));
            await sandbox.WriteFileAsync(file.Path, content, file.Mode, cancellationToken);
        }

        if (order.WithInit && order.Environment.Init is { } script)
        {
            await _progress.DoAsync("running the init script", () => InitScript.RunAsync(sandbox, script, order.Environment, house.Instances.FolderOf(order.Name), speaker, cancellationToken));
        }
    }
}
