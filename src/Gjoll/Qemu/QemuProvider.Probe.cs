using Gjoll.Hosts;

namespace Gjoll.Qemu;

public sealed partial class QemuProvider
{
    private static readonly (string Program, string Package)[] Needed =
    [
        ("qemu-img", "qemu-utils"), ("bwrap", "bubblewrap"), ("setpriv", "util-linux"), ("unshare", "util-linux"), ("setsid", "util-linux"),
        ("mke2fs", "e2fsprogs"), ("tar", "tar"),
    ];

    public async Task<ProviderReport> ProbeAsync(CancellationToken cancellationToken)
    {
        var missing = Needed.Where(need => !HostProcess.IsInstalled(need.Program)).Select(need => need.Package).Distinct().ToList();
        if (missing.Count > 0)
        {
            return new ProviderReport(false, $"Programs of the packages {string.Join(", ", missing)} are missing.", $"apt install {string.Join(' ', missing)}", []);
        }

        string image;
        BootResult kvm;
        var remedy = "Mend that, and try again.";
        try
        {
            PrepareFolders();
            await _version.ReadAsync(cancellationToken);
            _ = _programs.Warden;
            remedy = "'gjoll image build' makes the image that is booted when none is named.";
            image = await _images.ResolveAsync(_options.DefaultImage, cancellationToken);
            kvm = _options.Accelerator == Accelerator.Tcg
                ? new BootResult(false, "the configuration says TCG")
                : await _boots.TryAsync(image, Accelerator.Kvm, cancellationToken);
        }
        catch (GjollException failure)
        {
            return new ProviderReport(false, failure.Message, remedy, []);
        }

        if (kvm.Works)
        {
            return new ProviderReport(true, null, null, NotContained());
        }

        if (_options.Accelerator == Accelerator.Kvm)
        {
            return new ProviderReport(false, $"KVM was asked for and does not work: {kvm.Reason}", "Use a host with working KVM, or allow TCG.", []);
        }

        var tcg = await _boots.TryAsync(image, Accelerator.Tcg, cancellationToken);
        return tcg.Works
            ? new ProviderReport(true, null, null, NotContained())
            {
                IsSlow = true,
                Warnings = [$"Machines run under TCG, which translates every instruction and is ten to thirty times slower than KVM: {kvm.Reason}."],
            }
            : new ProviderReport(false, $"A machine does not start: {tcg.Reason}", "gjoll logs shows the guest's console.", []);
    }

    private List<string> NotContained()
    {
        List<string> sentences = ["A flaw in QEMU or KVM is a way into a jailed process: namespaces, an unprivileged user and a system call filter stand between that and the host."];
        if (!Native.IsRoot)
        {
            sentences.Add("QEMU runs as the user of the host process, since only root can give it another one.");
        }

        if (!_cgroups.LimitsMemory)
        {
            sentences.Add("QEMU's own memory is not limited: no memory cgroup can be made here. The guest's is, by the machine.");
        }

        if (!_cgroups.LimitsCpu)
        {
            sentences.Add("Processor time is limited to the machine's processors only: no cpu cgroup can be made here.");
        }

        return sentences;
    }
}
