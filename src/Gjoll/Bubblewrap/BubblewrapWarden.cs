using System.Security.Cryptography;
using Gjoll.Channel;
using Gjoll.Hosts;
using Gjoll.Wire;

namespace Gjoll.Bubblewrap;

/// <summary>The wardens of sandboxes: started beside the guest, which connects to them, and again when they die.</summary>
internal sealed class BubblewrapWarden(BubblewrapOptions options, SandboxFolders folders, TimeProvider time)
{
    private const int EntropySize = 64;

    private readonly NativePrograms _programs = new(options.NativeFolder);

    public NativePrograms Programs => _programs;

    /// <summary>A key for the coming start, for the warden and, in the folder that the guest sees, for its agent until that has another.</summary>
    public void MakeKey(SandboxName name, SandboxRecord record)
    {
        var key = WardenProcess.MakeKey(folders.Key(name));
        var shown = folders.GuestKey(name);
        File.Delete(shown);
        using (var stream = new FileStream(shown, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead }))
        {
            stream.Write(key);
        }

        GiveToGuest(shown, record);
    }

    /// <summary>Starts one and returns when guest and clients can connect. The lock of the name is held.</summary>
    public async Task<ProcessIdentity> StartAsync(SandboxName name, SandboxRecord record, CancellationToken cancellationToken)
    {
        new Endpoints(folders, name).Write(record);
        var warden = await WardenProcess.StartAsync(
            _programs.Warden,
            ["--control", folders.Control(name), "--key", folders.Key(name), "--forwards", folders.Forwards(name), "--link-listen", folders.LinkSocket(name)],
            new Dictionary<string, string> { [Marking.Variable] = folders.Marker(name) },
            time,
            cancellationToken);
        GiveToGuest(folders.LinkSocket(name), record);
        return warden;
    }

    /// <summary>Right after a start: the guest's listeners, and a key that no file it can read holds.</summary>
    public async Task RenewAsync(SandboxName name, SandboxRecord record, GuestChannel channel, CancellationToken cancellationToken)
    {
        // The warden takes either key while it is not known which one the guest has.
        var next = WardenProcess.MakeKey(folders.Key(name) + ".next");
        var request = new RenewRequest
        {
            Time = (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond,
            Entropy = Convert.ToBase64String(RandomNumberGenerator.GetBytes(EntropySize)),
            Hostname = record.Spec.Hostname,
            // The guest shares the machine, and is not told its id.
            MachineId = "",
            Key = Convert.ToBase64String(next),
            Listeners = [.. record.Spec.Forwards.Select(forward => new GuestListener(forward.GuestPort, forward.GuestPath))],
        };
        await channel.RenewAsync(request, cancellationToken);
        File.Move(folders.Key(name) + ".next", folders.Key(name), overwrite: true);
        File.Delete(folders.GuestKey(name));
    }

    private static void GiveToGuest(string path, SandboxRecord record)
    {
        if (record.DropUser)
        {
            Native.ChangeOwner(path, record.UserId, record.UserId);
        }
    }
}
