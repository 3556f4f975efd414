using Gjoll.Guest.Kernel;
using Gjoll.Wire;

namespace Gjoll.Guest.Programs;

/// <summary>Forks a program.</summary>
/// <param name="ProcessId">The program, or the keeper above it.</param>
/// <param name="Input">Where its input is written; -1 without one. The same as <paramref name="Output"/> for a terminal.</param>
/// <param name="Error">-1 for a terminal.</param>
/// <param name="Report">Where the keeper reports; -1 without a keeper.</param>
internal sealed record Launch(int ProcessId, int Input, int Output, int Error, int Report)
{
    private const string DefaultPath = "/usr/local/bin:/usr/bin:/bin";

    /// <summary>What the agent itself was started with, before it raised it.</summary>
    private static readonly ResourceLimit Files = FileLimit();

    private static ResourceLimit FileLimit()
    {
        unsafe
        {
            ResourceLimit limit;
            return Libc.getrlimit(Libc.RLIMIT_NOFILE, &limit) == 0 ? limit : new ResourceLimit { Soft = 1024, Hard = 4096 };
        }
    }

    /// <summary>Lets the agent hold as many descriptors as it may; programs keep the limit as it was.</summary>
    public static unsafe void RaiseFileLimit()
    {
        var limit = Files;
        limit.Soft = limit.Hard;
        _ = Libc.setrlimit(Libc.RLIMIT_NOFILE, &limit);
    }

    /// <param name="user">Null to stay who the agent is.</param>
    /// <param name="cgroupProcesses">The open file of the cgroup that the program joins; -1 for a keeper above it instead.</param>
    /// <exception cref="SystemCallException">No process or descriptor could be made.</exception>
    public static unsafe Launch Start(ExecRequest request, GuestUser? user, int cgroupProcesses)
    {
        using var ends = new Ends();
        using var arena = new Arena(SizeOf(request, user));
        var plan = (ChildPlan*)arena.Take(sizeof(ChildPlan));
        *plan = Plan(request, user, arena);
        plan->CgroupProcesses = cgroupProcesses;
        ends.Make(request, user);
        plan->HasTerminal = request.Terminal is not null;
        plan->Input = ends.ChildInput;
        plan->Output = ends.ChildOutput;
        plan->Error = ends.ChildError;
        var (reportRead, reportWrite) = (-1, -1);
        if (cgroupProcesses < 0)
        {
            (reportRead, reportWrite) = Descriptors.Pipe();
            plan->Report = reportWrite;
        }

        var process = Libc.fork();
        if (process == 0)
        {
            if (cgroupProcesses < 0)
            {
                Child.Keep(plan);
            }

            Child.Become(plan);
        }

        var error = process < 0 ? Errno.Last : 0;
        Descriptors.Close(ref reportWrite);
        if (process < 0)
        {
            Descriptors.Close(ref reportRead);
            throw new SystemCallException("make a process", error);
        }

        var (input, output, errors) = ends.Release();
        return new Launch(process, input, output, errors, reportRead);
    }

    private static unsafe ChildPlan Plan(ExecRequest request, GuestUser? user, Arena arena)
    {
        var plan = new ChildPlan
        {
            Arguments = (byte**)arena.Take((request.Command.Count + 2) * sizeof(byte*)),
            Environment = (byte**)arena.Take((request.Environment.Count + 1) * sizeof(byte*)),
            Shell = arena.Text("/bin/sh"),
            Folder = arena.Text(request.Folder),
            SwitchesUser = user is not null,
            IsUnprivileged = Libc.geteuid() != 0,
            FilesSoft = Files.Soft,
            FilesHard = Files.Hard,
            Report = -1,
        };
        for (var index = 0; index < request.Command.Count; index++)
        {
            plan.Arguments[index + 1] = arena.Text(request.Command[index]);
        }

        var variable = 0;
        foreach (var (name, value) in request.Environment)
        {
            plan.Environment[variable++] = arena.Text($"{name}={value}");
        }

        var candidates = Candidates(request);
        plan.Candidates = (byte**)arena.Take((candidates.Count + 1) * sizeof(byte*));
        for (var index = 0; index < candidates.Count; index++)
        {
            plan.Candidates[index] = arena.Text(candidates[index]);
        }

        if (user is not null)
        {
            plan.User = user.Id;
            plan.Group = user.Group;
            plan.GroupCount = user.Groups.Count;
            plan.Groups = (uint*)arena.Take(user.Groups.Count * sizeof(uint));
            for (var index = 0; index < user.Groups.Count; index++)
            {
                plan.Groups[index] = user.Groups[index];
            }
        }

        plan.NoFolder = arena.Text(NoFolder(request), out plan.NoFolderLength);
        plan.NotFound = arena.Text(NotFound(request), out plan.NotFoundLength);
        plan.NotRunnable = arena.Text(NotRunnable(request), out plan.NotRunnableLength);
        plan.NoUser = arena.Text(NoUser(request), out plan.NoUserLength);
        return plan;
    }

    private static List<string> Candidates(ExecRequest request)
    {
        var name = request.Command[0];
        if (name.Contains('/', StringComparison.Ordinal) || name.Length == 0)
        {
            return [name];
        }

        var path = request.Environment.TryGetValue("PATH", out var own) && own.Length > 0 ? own : DefaultPath;
        return [.. path.Split(':').Select(folder => folder.Length == 0 ? $"./{name}" : $"{folder}/{name}")];
    }

    private static string NoFolder(ExecRequest request) => $"gjoll: {request.Folder}: the folder cannot be entered\n";

    private static string NotFound(ExecRequest request) => $"gjoll: {request.Command[0]}: no such program\n";

    private static string NotRunnable(ExecRequest request) => $"gjoll: {request.Command[0]}: cannot be run\n";

    private static string NoUser(ExecRequest request) => $"gjoll: {request.User}: cannot become this user\n";

    private static int SizeOf(ExecRequest request, GuestUser? user)
    {
        // Each piece with what it takes to begin at a multiple of 8.
        const int Align = 8;
        const int Rest = 4096;
        var texts = request.Command.Concat(Candidates(request))
            .Concat([request.Folder, NoFolder(request), NotFound(request), NotRunnable(request), NoUser(request)])
            .Concat(request.Environment.Select(pair => $"{pair.Key}={pair.Value}"));
        return checked(Rest + ((user?.Groups.Count ?? 0) * 4) + texts.Sum(text => Arena.SizeOf(text) + Align + Align));
    }
}
