using Gjoll.Hosts;

namespace Gjoll.Bubblewrap;

/// <summary>
/// The shell texts that stand between this process and a guest. They are constants: every value reaches them as an argument or a variable, never as text.
/// Each ends in <c>exec</c>, so that the process that was started stays the one that is waited for.
/// </summary>
internal static class Scripts
{
    /// <summary>First program of the guest: one forwarder per argument <c>PORT=SOCKET</c>, then it keeps the sandbox alive.</summary>
    public const string Keeper = """
        for forward; do
          socat -t 86400 "TCP-LISTEN:${forward%%=*},bind=127.0.0.1,reuseaddr,fork,max-children=256,backlog=128,nodelay" "UNIX-CONNECT:${forward#*=}" </dev/null >/dev/null 2>&1 &
        done
        echo ready
        exec sleep infinity </dev/null >/dev/null 2>&1
        """;

    /// <summary>Into the guest. The command line of the program that crosses over is in the arguments.</summary>
    public const string Enter = LaunchScripts.Join + """
        exec setsid "$@"
        """;

    /// <summary>
    /// The last step, without capabilities and in all namespaces of the guest: only children of this shell are in its PID namespace, so it starts one and
    /// waits. It lets go of the streams, since whoever else held them would hide that the program closed them. A shell makes background programs ignore
    /// the keyboard's signals; env takes that back. {0} stands for the variables to assign.
    /// </summary>
    public const string Run = """
        exec 3<&0
        /usr/bin/env --default-signal=INT,QUIT -i -C "$GJOLL_FOLDER" {0} "$@" <&3 3<&- &
        exec </dev/null >/dev/null 2>&1 3<&-
        wait $!
        """;
}
