using Gjoll.Guest.Channels;
using Gjoll.Guest.Kernel;
using Gjoll.Wire;

namespace Gjoll.Guest.Programs;

/// <summary>The programs by their ids.</summary>
/// <param name="cgroups">The folder for a cgroup of each; null where there are none of our own.</param>
internal sealed class ProgramTable(Switchboard switchboard, Reaper reaper, string? cgroups)
{
    /// <summary>Programs that live or are not yet wholly gone. Above the channels', since kept ones need none.</summary>
    private const int MaxPrograms = WireLimits.MaxChannels + WireLimits.MaxFinished;

    private readonly Dictionary<string, GuestProgram> _byId = new(StringComparer.Ordinal);
    private readonly List<GuestProgram> _finished = [];
    private readonly HashSet<GuestProgram> _leaving = [];
    private readonly bool _isRoot = Libc.geteuid() == 0;
    private long _number;

    public int Running => _byId.Values.Count(program => program.Exit is null);

    public bool IsEmpty => _byId.Count == 0 && _leaving.Count == 0;

    public IReadOnlyList<ProgramState> Kept => [.. _byId.Values.Where(program => program.Keep).Select(program => program.State)];

    /// <exception cref="RequestException">It cannot be started, or not as asked.</exception>
    public void Start(uint channel, ExecRequest request)
    {
        Check(request);
        if (_byId.ContainsKey(request.Id))
        {
            throw new RequestException(FailureCode.Exists, "the id is in use");
        }

        if (_byId.Count + _leaving.Count >= MaxPrograms)
        {
            throw new RequestException(FailureCode.Exhausted, "too many programs");
        }

        var user = UserOf(request.User ?? "");
        var program = new GuestProgram(switchboard, this, request);
        try
        {
            if (cgroups is not null)
            {
                var (tree, launch) = CgroupTree.Start(
                    switchboard.Loop, reaper, program, $"{cgroups}/{++_number}", processes => Launch.Start(request, user, processes));
                program.Begin(launch, tree, request.Timeout);
                program.Started(launch.ProcessId);
            }
            else
            {
                var launch = Launch.Start(request, user, -1);
                program.Begin(launch, new KeptTree(switchboard.Loop, reaper, program, launch), request.Timeout);
            }
        }
        catch (SystemCallException failed)
        {
            throw new RequestException(failed.Error is Errno.EAGAIN or Errno.ENOMEM or Errno.EMFILE or Errno.ENFILE ? FailureCode.Exhausted : FailureCode.Failed, failed.Message);
        }

        _byId.Add(program.Id, program);
        switchboard.Add(channel, program);
        program.AnswerWhenStarted(channel);
    }

    /// <exception cref="RequestException">There is no such kept program, or its offsets cannot be had.</exception>
    public void Attach(uint channel, AttachRequest request)
    {
        if (!_byId.TryGetValue(request.Id, out var program) || !program.Keep)
        {
            throw new RequestException(FailureCode.NotFound, "there is no such kept program");
        }

        if (program.ProcessId == 0)
        {
            throw new RequestException(FailureCode.Unavailable, "the program is just being started");
        }

        var answer = program.Attach(request.Output, request.Error);
        if (program.Number != 0)
        {
            switchboard.Answer(FrameWriter.Make(FrameKind.Close, program.Number, []));
            switchboard.Remove(program);
        }

        switchboard.Answer(WireJson.Response(channel, answer));
        switchboard.Add(channel, program);
        switchboard.Schedule(program);
    }

    /// <summary>TERM to the whole tree of each.</summary>
    public void TerminateAll()
    {
        foreach (var program in _byId.Values.ToArray())
        {
            program.Signal(Libc.SIGTERM, toAll: true);
        }
    }

    /// <summary>Ends each, kept or not.</summary>
    public void EndAll()
    {
        foreach (var program in _byId.Values.ToArray())
        {
            switchboard.Remove(program);
            program.End();
        }
    }

    public void Finished(GuestProgram program)
    {
        _finished.Add(program);
        Evict();
    }

    public void Detached(GuestProgram program) => Evict();

    public void Ended(GuestProgram program)
    {
        _byId.Remove(program.Id);
        _finished.Remove(program);
        _leaving.Add(program);
    }

    public void Gone(GuestProgram program) => _leaving.Remove(program);

    private void Evict()
    {
        while (_finished.Count(program => program.Number == 0) > WireLimits.MaxFinished)
        {
            _finished.First(program => program.Number == 0).End();
        }
    }

    private static void Check(ExecRequest request)
    {
        if (!ProgramId.IsValid(request.Id))
        {
            throw new RequestException(FailureCode.Invalid, "the id is not one");
        }

        if (request.Command.Count == 0 || request.Command.Any(HasZero) || request.Command[0].Length == 0)
        {
            throw new RequestException(FailureCode.Invalid, "the command is empty or holds a zero");
        }

        if (request.Environment.Any(pair => pair.Key.Length == 0 || pair.Key.Contains('=', StringComparison.Ordinal) || HasZero(pair.Key) || HasZero(pair.Value)))
        {
            throw new RequestException(FailureCode.Invalid, "the environment holds what cannot be a variable");
        }

        if (!request.Folder.StartsWith('/') || HasZero(request.Folder))
        {
            throw new RequestException(FailureCode.Invalid, "the folder is not absolute");
        }

        if (request.Timeout < 0 || request.OutputLimit < 0)
        {
            throw new RequestException(FailureCode.Invalid, "a limit is negative");
        }

        // The members of a list or object may still be null: the wire's JSON says nothing about them.
        static bool HasZero(string? text) => text is null || text.Contains('\0', StringComparison.Ordinal);
    }

    private GuestUser? UserOf(string name)
    {
        const string Agent = "agent";
        var wanted = name.Length == 0 ? Agent : name;
        if (!_isRoot)
        {
            // Who the agent is, is all that its programs can be.
            return name.Length == 0 || GuestUser.Find(wanted)?.Id == Libc.geteuid()
                ? null
                : throw new RequestException(FailureCode.NotFound, "this agent cannot start programs as another user");
        }

        return GuestUser.Find(wanted) ?? throw new RequestException(FailureCode.NotFound, "there is no such user");
    }
}
