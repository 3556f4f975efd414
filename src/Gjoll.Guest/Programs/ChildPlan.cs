namespace Gjoll.Guest.Programs;

/// <summary>All that a forked child needs, in memory that it only reads: it has no runtime, so it can make nothing itself.</summary>
internal unsafe struct ChildPlan
{
    /// <summary>With a place before the first, for the shell that runs a script without an interpreter line.</summary>
    public byte** Arguments;
    public byte** Environment;

    /// <summary>Where the program may be, in the order of <c>PATH</c>; a zero ends it.</summary>
    public byte** Candidates;
    public byte* Shell;
    public byte* Folder;
    public byte* NoFolder;
    public int NoFolderLength;
    public byte* NotFound;
    public int NotFoundLength;
    public byte* NotRunnable;
    public int NotRunnableLength;
    public byte* NoUser;
    public int NoUserLength;
    public uint* Groups;
    public int GroupCount;
    public uint User;
    public uint Group;
    public int Input;
    public int Output;
    public int Error;
    public int CgroupProcesses;
    public int Report;
    public ulong FilesSoft;
    public ulong FilesHard;
    public bool HasTerminal;
    public bool SwitchesUser;
    public bool IsUnprivileged;
}
