using System.CommandLine;
using System.IO.Pipelines;
using Gjoll.Archives;
using Gjoll.Cli.Terminal;
using Gjoll.Cli.Work;

namespace Gjoll.Cli.Verbs;

/// <summary><c>cp</c>: a file or folder in or out. What comes out is unpacked entry by entry into a folder of its own and moved into place when all of it was good.</summary>
internal static class CopyVerb
{
    private const int DefaultMebibytes = 16 * 1024;

    public static Command Build(Shell shell)
    {
        var places = new Argument<string[]>("places")
        {
            Description = "FROM TO, one of them in the guest as NAME:PATH; or NAME FROM TO, one of them as :PATH", Arity = new ArgumentArity(2, 3),
        };
        var size = new Option<int>("--max-mib") { Description = "Refuse to take more than so many MiB out", DefaultValueFactory = _ => DefaultMebibytes };
        return shell.Verb("cp", "Copy a file or folder to or from the guest", async call =>
        {
            if (call.Value(size) is < 1 or > 1 << 24)
            {
                throw new VerbFailure(ExitCode.Usage, "gjoll cp: --max-mib is a number from 1 to 16777216.");
            }

            var order = Understand(call.Value(places)!);
            var sandbox = await call.House.FindRunningAsync(order.Name, call.Cancellation);
            var copied = order.ToGuest
                ? await InAsync(call, sandbox, order.Host, order.Guest)
                : await OutAsync(call, sandbox, order.Guest, order.Host, new ArchiveLimits { MaxBytes = (long)call.Value(size) << 20 });
            call.Speaker.Data(copied, writer => writer.WriteLine(TerminalText.Show(copied.To)));
            return ExitCode.Ok;
        }, places, size);
    }

    /// <param name="From">As it is named where it lies.</param>
    /// <param name="To">Where it is now.</param>
    private sealed record Copied(string From, string To, long Files, long Bytes);

    private sealed record Order(SandboxName Name, bool ToGuest, string Host, string Guest);

    private static Order Understand(string[] places)
    {
        var (name, from, to) = places.Length == 3 ? (places[0], places[1], places[2]) : ((string?)null, places[0], places[1]);
        var (fromGuest, toGuest) = (Split(from, name), Split(to, name));
        if ((fromGuest is null) == (toGuest is null))
        {
            throw new VerbFailure(ExitCode.Usage, "gjoll cp: exactly one of the two places is in the guest: NAME:PATH, or :PATH after the name.");
        }

        var guest = (fromGuest ?? toGuest)!.Value;
        return new Order(Names.Parse(guest.Name), toGuest is not null, Path.GetFullPath(toGuest is null ? to : from), GuestPath.Of(guest.Path) + (guest.Path.EndsWith('/') ? "/" : ""));
    }

    /// <summary>Null for a place on the host: one that has no colon, or a slash before it, as with scp.</summary>
    private static (string Name, string Path)? Split(string place, string? name)
    {
        var colon = place.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0 || place.AsSpan(0, colon).Contains('/'))
        {
            return null;
        }

        return colon == 0
            ? (name ?? throw new VerbFailure(ExitCode.Usage, "gjoll cp: ':PATH' needs the sandbox's name before the places."), place[1..])
            : name is null ? (place[..colon], place[(colon + 1)..]) : null;
    }

    private static async Task<Copied> InAsync(Call call, ISandbox sandbox, string host, string guest)
    {
        var isFolder = Directory.Exists(host);
        if (!isFolder && !File.Exists(host))
        {
            throw new VerbFailure(ExitCode.NotFound, $"There is no {TerminalText.Line(host, 300)}.");
        }

        var target = guest.TrimEnd('/');
        var name = Path.GetFileName(host.TrimEnd('/'));
        if (guest.EndsWith('/') || await IsFolderAsync(call, sandbox, target.Length == 0 ? "/" : target))
        {
            target = $"{target}/{name}";
        }

        var progress = new Progress(call.Speaker, call.House.Time);
        if (isFolder)
        {
            await progress.DoAsync($"copying {TerminalText.Line(name, 200)}", () => sandbox.CopyInAsync(host, target, call.Cancellation));
            return new Copied(host, target, 0, 0);
        }

        var mode = (File.GetUnixFileMode(host) & UnixFileMode.UserExecute) != 0 ? GuestFileMode.Executable : GuestFileMode.Readable;
        await using var content = File.OpenRead(host);
        await progress.DoAsync($"copying {TerminalText.Line(name, 200)}", () => sandbox.WriteFileAsync(target, content, mode, call.Cancellation));
        return new Copied(host, target, 1, content.Length);
    }

    private static async Task<bool> IsFolderAsync(Call call, ISandbox sandbox, string path) =>
        (await sandbox.RunAsync(new ExecSpec { Command = ["test", "-d", path], WorkingFolder = "/" }, call.Cancellation)).Exit.Succeeded;

    private static async Task<Copied> OutAsync(Call call, ISandbox sandbox, string guest, string host, ArchiveLimits limits)
    {
        var path = guest.TrimEnd('/');
        var name = path.Length == 0 ? "." : path[(path.LastIndexOf('/') + 1)..];
        if (name is ".." || (name is "." && path.Length > 0))
        {
            throw new VerbFailure(ExitCode.Usage, $"gjoll cp: name what to copy; '{TerminalText.Line(guest, 200)}' ends in '{name}'.");
        }

        var target = Directory.Exists(host) && name != "." ? Path.Combine(host, name) : host;
        RefuseFolder(target);
        var parent = Path.GetDirectoryName(target) ?? "/";
        if (!Directory.Exists(parent))
        {
            throw new VerbFailure(ExitCode.NotFound, $"There is no folder {TerminalText.Line(parent, 300)}.");
        }

        var draft = Path.Combine(parent, $".gjoll-{Path.GetRandomFileName()}");
        Directory.CreateDirectory(draft, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        try
        {
            var result = await new Progress(call.Speaker, call.House.Time).DoAsync(
                $"copying {TerminalText.Line(guest, 200)}", () => UnpackAsync(sandbox, guest, draft, name, limits, call.Cancellation));
            var made = name == "." ? draft : Path.Combine(draft, name);
            Place(made, target);
            return new Copied(guest, target, result.Files, result.Bytes);
        }
        finally
        {
            if (Directory.Exists(draft))
            {
                Directory.Delete(draft, recursive: true);
            }
        }
    }

    private static async Task<ArchiveResult> UnpackAsync(
        ISandbox sandbox, string guest, string draft, string name, ArchiveLimits limits, CancellationToken cancellationToken)
    {
        var pipe = new Pipe();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var sending = SendAsync();
        ArchiveResult result;
        await using (var reading = pipe.Reader.AsStream())
        {
            try
            {
                result = await GuestArchive.UnpackAsync(reading, draft, name, limits, cancellationToken);
                // What the guest sends after the end of the archive is of no interest, but its exit is.
                await reading.CopyToAsync(Stream.Null, cancellationToken);
            }
            catch (GjollException)
            {
                await either.CancelAsync();
                await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                throw;
            }
        }

        await sending;
        return result.Files + result.Folders > 0 || name == "." ? result : throw new GjollException($"The guest sent nothing of {TerminalText.Line(guest, 200)}.");

        async Task SendAsync()
        {
            Exception? failure = null;
            try
            {
                // Headers and padding come on top of the content.
                await sandbox.CopyOutArchiveAsync(guest, pipe.Writer.AsStream(leaveOpen: true), limits.MaxBytes + (limits.MaxEntries * 4096L), either.Token);
            }
            catch (Exception broken) when (broken is GjollException or IOException or OperationCanceledException)
            {
                failure = broken;
                throw;
            }
            finally
            {
                await pipe.Writer.CompleteAsync(failure is GjollException ? failure : null);
            }
        }
    }

    /// <summary>A file takes the place of a file. What would be mixed with a folder that is there is refused.</summary>
    private static void Place(string made, string target)
    {
        RefuseFolder(target);
        if (Directory.Exists(made) && new DirectoryInfo(made).LinkTarget is null)
        {
            if (Path.Exists(target))
            {
                throw new VerbFailure(ExitCode.Refused, $"{TerminalText.Line(target, 300)} is there already, and what came is a folder: move it away or name another place.");
            }

            Directory.Move(made, target);
        }
        else
        {
            File.Move(made, target, overwrite: true);
        }
    }

    private static void RefuseFolder(string target)
    {
        if (Directory.Exists(target))
        {
            throw new VerbFailure(ExitCode.Refused, $"The folder {TerminalText.Line(target, 300)} is there already: move it away or name another place.");
        }
    }
}
