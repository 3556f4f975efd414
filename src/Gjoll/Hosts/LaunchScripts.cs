namespace Gjoll.Hosts;

/// <summary>
/// The shell texts that stand between this process and a jail made by bubblewrap. They are constants: every value reaches them as an argument or a
/// variable, never as text. Each ends in <c>exec</c>, so that the process that was started stays the one that is waited for.
/// </summary>
internal static class LaunchScripts
{
    /// <summary>First line of every launcher: into the cgroups, first to go when the host runs out of memory, no core dumps, files no longer than a measured disk; a template's memory as descriptor 7, a filter on system calls as descriptor 6.</summary>
    public const string Join = """
        set -eu
        IFS='
        '
        for group in $GJOLL_CGROUPS; do echo 0 > "$group/cgroup.procs"; done
        echo 500 > /proc/self/oom_score_adj || :
        ulimit -c 0
        [ -z "$GJOLL_BLOCKS" ] || ulimit -f "$GJOLL_BLOCKS"
        [ -z "${GJOLL_MEMORY-}" ] || exec 7<>"$GJOLL_MEMORY"
        [ -z "${GJOLL_FILTER-}" ] || exec 6<"$GJOLL_FILTER"
        unset GJOLL_CGROUPS GJOLL_BLOCKS GJOLL_MEMORY GJOLL_FILTER

        """;

    /// <summary>
    /// Root only, in a mount namespace of its own: shows the sources, which may lie under folders that the guest's user cannot pass, below one that it can.
    /// All mounts and the loop device go away by themselves with the last process. Arguments: kind, place, source, three by three; then -- and the guest's first command.
    /// </summary>
    public const string StartAsRoot = Join + """
        exec 9>&1 8<"$GJOLL_ARGUMENTS"
        mount -t tmpfs -o mode=755,size=256k,nosuid gjoll "$GJOLL_STAGE"
        while [ "$1" != -- ]; do
          place="$GJOLL_STAGE/$2"
          if [ "$1" = file ] || [ "$1" = device ]; then : > "$place"; else mkdir "$place"; fi
          if [ "$1" = device ]; then
            rm "$place"
            cp -a "$3" "$place"
            chown "$GJOLL_UID:$GJOLL_UID" "$place"
          elif [ "$1" = image ]; then
            mount -t ext4 -o loop,nosuid,nodev "$3" "$place"
            for part in home work; do
              [ -d "$place/$part" ] || mkdir -m 700 "$place/$part"
              # Every time: a launcher that was ended between the two left it to root.
              chown -h "$GJOLL_UID:$GJOLL_UID" "$place/$part"
            done
          else
            mount --bind "$3" "$place"
          fi
          shift 3
        done
        mount --rbind "$GJOLL_STAGE" /mnt
        cd /
        exec setsid setpriv --reuid="$GJOLL_UID" --regid="$GJOLL_UID" --clear-groups -- bwrap --args 8 "$@"
        """;

    public const string StartAsUser = Join + """
        exec 9>&1 8<"$GJOLL_ARGUMENTS"
        cd /
        exec setsid bwrap --args 8 "$@"
        """;
}
