using System.Text.Json.Serialization;

namespace Gjoll.Wire;

/// <summary>What one side asks of the other. The kind stands in the JSON as <c>"op"</c>.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "op", UnknownDerivedTypeHandling = JsonUnknownDerivedTypeHandling.FailSerialization)]
[JsonDerivedType(typeof(ExecRequest), "exec")]
[JsonDerivedType(typeof(AttachRequest), "attach")]
[JsonDerivedType(typeof(ProgramsRequest), "programs")]
[JsonDerivedType(typeof(DialRequest), "dial")]
[JsonDerivedType(typeof(ConnectRequest), "connect")]
[JsonDerivedType(typeof(RenewRequest), "renew")]
[JsonDerivedType(typeof(HealthRequest), "health")]
[JsonDerivedType(typeof(ShutdownRequest), "shutdown")]
[JsonDerivedType(typeof(WardenRequest), "warden")]
public abstract record WireRequest;

/// <summary>
/// Host to guest: start a program. The channel stays open and carries its streams until <see cref="FrameKind.Close"/>, which kills the program
/// and its descendants unless <see cref="Keep"/>.
/// </summary>
public sealed record ExecRequest : WireRequest
{
    /// <summary>Unique in the sandbox, at most <see cref="WireLimits.MaxIdLength"/> of <c>A-Z a-z 0-9 - _ .</c>; what <see cref="AttachRequest"/> names.</summary>
    public required string Id { get; init; }

    public required IReadOnlyList<string> Command { get; init; }

    /// <summary>The whole environment.</summary>
    public required IReadOnlyDictionary<string, string> Environment { get; init; }

    public required string Folder { get; init; }

    /// <summary>Null or empty means the agent user.</summary>
    public string? User { get; init; }

    public bool OpenInput { get; init; }

    /// <summary>When set the program gets a terminal of that size, and its output is one stream.</summary>
    public TerminalSize? Terminal { get; init; }

    /// <summary>The program goes on, paused when its windows are full, when its channel is closed or its link ends.</summary>
    public bool Keep { get; init; }

    /// <summary>Milliseconds; 0 means none.</summary>
    public long Timeout { get; init; }

    /// <summary>Bytes of output and error together; 0 means none.</summary>
    public long OutputLimit { get; init; }
}

public sealed record TerminalSize(ushort Columns, ushort Rows);

/// <summary>
/// Host to guest: take over a kept program, running or finished, with its streams from these offsets on. Whoever had it loses it (Close). An offset
/// before what was acknowledged, or beyond what was produced, is a failure. A Close of a finished program forgets it.
/// </summary>
public sealed record AttachRequest(string Id, ulong Output, ulong Error) : WireRequest;

/// <summary>Host to guest: which kept programs there are. The channel closes with the answer.</summary>
public sealed record ProgramsRequest : WireRequest;

/// <summary>Host to guest: connect to a loopback TCP port of the guest. The channel carries the connection.</summary>
public sealed record DialRequest(int Port) : WireRequest;

/// <summary>Guest to host: a program of the guest connected to forward number <paramref name="Forward"/>. The only request a guest may make.</summary>
public sealed record ConnectRequest(int Forward) : WireRequest;

/// <summary>Host to guest, right after every start, claim, fork and resume: what must not be shared with another machine or be old.</summary>
public sealed record RenewRequest : WireRequest
{
    /// <summary>Microseconds since 1970, host time.</summary>
    public required long Time { get; init; }

    /// <summary>Base64; goes into the kernel's pool.</summary>
    public required string Entropy { get; init; }

    public required string Hostname { get; init; }

    /// <summary>32 hexadecimal digits.</summary>
    public required string MachineId { get; init; }

    /// <summary>Base64 of the key for later handshakes; null keeps the present one.</summary>
    public string? Key { get; init; }

    /// <summary>What the guest is to listen on, whole; forwards are numbered in this order.</summary>
    public required IReadOnlyList<GuestListener> Listeners { get; init; }

    /// <summary>Let the file system fill a disk that has grown.</summary>
    public bool GrowDisk { get; init; }
}

/// <summary>A loopback port, or a unix socket path.</summary>
public sealed record GuestListener(int? Port, string? Path);

/// <summary>Host to guest. The channel closes with the answer.</summary>
public sealed record HealthRequest : WireRequest;

/// <summary>Host to guest: TERM to all, wait, KILL, sync, then power off. Answered before the wait.</summary>
public sealed record ShutdownRequest(int GraceMilliseconds) : WireRequest;

/// <summary>Client to warden: how the warden and its link are. Never passed on to the guest.</summary>
public sealed record WardenRequest : WireRequest;

/// <summary>The answer; which members are set follows from the request.</summary>
public sealed record WireResponse
{
    /// <summary>Exec, attach: the program's number in the guest.</summary>
    public int? ProcessId { get; init; }

    /// <summary>Attach: how much input the program was given, so that the rest can be sent.</summary>
    public ulong? InputReceived { get; init; }

    public IReadOnlyList<ProgramState>? Programs { get; init; }

    public GuestHealth? Health { get; init; }

    public WardenState? Warden { get; init; }
}

/// <param name="Id">As given at its start.</param>
/// <param name="ProcessId">In the guest.</param>
/// <param name="Exit">Null while it runs.</param>
/// <param name="Reason">Null while it runs.</param>
public sealed record ProgramState(string Id, int ProcessId, int? Exit, ExitReason? Reason);

/// <summary>The guest's own words about itself: for display, never for a decision.</summary>
public sealed record GuestHealth(string AgentVersion, string BootId, double UptimeSeconds, long MemoryAvailable, long DiskFree, int Programs);

/// <param name="IsLinked">The handshake with the guest has succeeded and the link is up.</param>
/// <param name="LinkProblem">Why not, when it is not; or what the guest last broke.</param>
/// <param name="Links">How often a link was made.</param>
/// <param name="Clients">Connected now, the asking one included.</param>
/// <param name="Connections">Forwarded connections open now.</param>
/// <param name="ProcessId">The warden's own number on the host.</param>
public sealed record WardenState(bool IsLinked, string? LinkProblem, int Links, int Clients, int Connections, int ProcessId);

public sealed record WireFailure(FailureCode Code, string Message);

[JsonConverter(typeof(JsonStringEnumConverter<FailureCode>))]
public enum FailureCode
{
    /// <summary>The request is not understood or breaks a rule.</summary>
    Invalid,

    /// <summary>The program, user, folder, port, id or forward does not exist. For programs the exit code says it instead (125, 126, 127).</summary>
    NotFound,

    /// <summary>The id is in use.</summary>
    Exists,

    /// <summary>A bound is reached: channels, programs, memory.</summary>
    Exhausted,

    /// <summary>The other side refused the connection, or the guest is not linked.</summary>
    Unavailable,

    /// <summary>The system call failed; the message names it and the error.</summary>
    Failed,
}
