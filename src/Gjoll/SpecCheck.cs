using System.Text.RegularExpressions;
using Gjoll.Channel;

namespace Gjoll;

/// <summary>Refuses specifications that can never work or that would put a mount where the guest can move the ground under it.</summary>
internal static partial class SpecCheck
{
    // Folders that the guest cannot write and that hold nothing of the system's: the guest's own links can never redirect a mount there.
    private static readonly string[] MountRoots = ["/opt/", "/srv/", "/mnt/"];

    public static void Check(SandboxSpec spec)
    {
        _ = spec.Name.Value;
        Require(Host().IsMatch(spec.Hostname), $"'{spec.Hostname}' is not a host name.");
        var limits = spec.Limits;
        Require(limits.MemoryBytes >= 16L << 20, "MemoryBytes is under 16 MiB.");
        Require(limits.DiskBytes >= 16L << 20, "DiskBytes is under 16 MiB.");
        Require(limits.MaxProcesses >= 16, "MaxProcesses is under 16.");
        Require(limits.Cpus is >= 0.05 and <= 4096, "Cpus is not between 0.05 and 4096.");
        Require(limits.Lifetime > TimeSpan.Zero, "Lifetime is not positive.");

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var forward in spec.Forwards)
        {
            Require(
                Path.IsPathFullyQualified(forward.HostSocket) || FileName().IsMatch(forward.HostSocket),
                $"The host socket '{forward.HostSocket}' is neither an absolute path nor a bare file name.");
            switch (forward)
            {
                case Forward.Tcp tcp:
                    Require(tcp.GuestPort is >= 1024 and <= 65535, $"The guest port {tcp.GuestPort} is not between 1024 and 65535.");
                    Require(seen.Add($":{tcp.GuestPort}"), $"The guest port {tcp.GuestPort} is forwarded twice.");
                    break;
                case Forward.Unix unix:
                    Require(IsPlain(unix.GuestPath) && unix.GuestPath.StartsWith("/run/", StringComparison.Ordinal)
                        && !unix.GuestPath.StartsWith(GuestPaths.Endpoints, StringComparison.Ordinal), $"The guest socket '{unix.GuestPath}' is not a plain path under /run/.");
                    Require(seen.Add(unix.GuestPath), $"The guest socket {unix.GuestPath} is forwarded twice.");
                    break;
            }
        }

        foreach (var folder in spec.ReadOnlyFolders)
        {
            Require(Path.IsPathFullyQualified(folder.HostPath), $"The host folder '{folder.HostPath}' is not an absolute path.");
            Require(Directory.Exists(folder.HostPath), $"The host folder '{folder.HostPath}' does not exist.");
            Require(IsPlain(folder.GuestPath) && MountRoots.Any(root => folder.GuestPath.StartsWith(root, StringComparison.Ordinal)),
                $"The guest folder '{folder.GuestPath}' is not a plain path under /opt/, /srv/ or /mnt/.");
            Require(seen.Add(folder.GuestPath), $"The guest folder {folder.GuestPath} is named twice.");
        }
    }

    public static void Check(ExecSpec spec)
    {
        Require(spec.Command.Count > 0 && spec.Command[0].Length > 0, "The command is empty.");
        Require(spec.Command.All(argument => !argument.Contains('\0', StringComparison.Ordinal)), "An argument holds a NUL character.");
        CheckGuestPath(spec.WorkingFolder);
        foreach (var (name, value) in spec.Environment)
        {
            Require(Variable().IsMatch(name), $"'{name}' is not a name of an environment variable.");
            Require(!value.Contains('\0', StringComparison.Ordinal), $"The value of {name} holds a NUL character.");
        }

        Require(spec.Timeout is null || spec.Timeout > TimeSpan.Zero, "Timeout is not positive.");
        Require(spec.OutputLimit is null or > 0, "OutputLimit is not positive.");
        if (spec.Id is not null)
        {
            CheckProgramId(spec.Id);
        }

        if (spec.Terminal is not null)
        {
            Check(spec.Terminal);
        }
    }

    public static void CheckProgramId(string id) => Require(ProgramId().IsMatch(id), $"'{id}' is not an id of a program.");

    public static void Check(TerminalSize size) =>
        Require(size is { Columns: >= 1 and <= ushort.MaxValue, Rows: >= 1 and <= ushort.MaxValue }, $"A terminal of {size.Columns} × {size.Rows} cannot be.");

    public static void CheckGuestPath(string path) =>
        Require(path.StartsWith('/') && !path.Contains('\0', StringComparison.Ordinal), $"The guest path '{path}' is not absolute.");

    private static bool IsPlain(string path) =>
        PlainPath().IsMatch(path) && path.Split('/').Skip(1).All(part => part is not ("" or "." or ".."));

    private static void Require(bool holds, string message)
    {
        if (!holds)
        {
            throw new ArgumentException(message);
        }
    }

    [GeneratedRegex(@"\A[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Host();

    [GeneratedRegex(@"\A[A-Za-z0-9_][A-Za-z0-9._-]{0,63}\z", RegexOptions.CultureInvariant)]
    private static partial Regex FileName();

    [GeneratedRegex(@"\A[A-Za-z_][A-Za-z0-9_]*\z", RegexOptions.CultureInvariant)]
    private static partial Regex Variable();

    [GeneratedRegex(@"\A[A-Za-z0-9_.-]{1,64}\z", RegexOptions.CultureInvariant)]
    private static partial Regex ProgramId();

    [GeneratedRegex(@"\A/[A-Za-z0-9._/@+-]{1,200}\z", RegexOptions.CultureInvariant)]
    private static partial Regex PlainPath();
}
