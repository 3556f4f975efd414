namespace Gjoll.OpenTofu;

/// <summary>What the login shell of the machine's user runs: few commands, since each is a connection of its own.</summary>
internal static class RemoteScripts
{
    /// <summary>Says what the machine is and where its user's home is.</summary>
    public const string Look = """printf '%s\n' "$(uname -m)" "$HOME" """;

    public const string IsAgentAlive = """cd "$HOME/.gjoll" && [ "/proc/$(cat pid)/exe" -ef gjoll-guest ]""";

    public const string Relay = """exec "$HOME/.gjoll/gjoll-guest" relay "$HOME/.gjoll/link.sock" """;

    /// <summary>
    /// Reads a line with the key in base64, and then the agent. Everything lies in one folder of the user, which nobody else there can enter. An agent that an
    /// earlier start left goes first: it has the ports, and a key that nobody knows any more. Says host name, machine id and time.
    /// </summary>
    public const string Install = """
        umask 077
        [ -w /work ] || mkdir /work 2>/dev/null || sudo -n install -d -o "$(id -un)" /work || { echo "the workspace /work can neither be written nor made" >&2; exit 1; }
        mkdir -p "$HOME/.gjoll" && cd "$HOME/.gjoll" || exit
        old=$(cat pid 2>/dev/null)
        if [ "/proc/${old:-none}/exe" -ef gjoll-guest ]; then
          kill "$old"
          tries=0
          while [ "/proc/$old/exe" -ef gjoll-guest ] && [ $tries -lt 50 ]; do sleep 0.1; tries=$((tries + 1)); done
          [ ! "/proc/$old/exe" -ef gjoll-guest ] || kill -9 "$old"
        fi
        read -r key && printf '%s\n' "$key" > key && cat > gjoll-guest.new && chmod 700 gjoll-guest.new && mv -f gjoll-guest.new gjoll-guest || exit
        rm -f link.sock
        cd /
        setsid "$HOME/.gjoll/gjoll-guest" serve --connect "$HOME/.gjoll/link.sock" --key "$HOME/.gjoll/key" </dev/null >"$HOME/.gjoll/log" 2>&1 &
        echo $! > "$HOME/.gjoll/pid"
        cat /proc/sys/kernel/hostname
        echo "$(cat /etc/machine-id 2>/dev/null)"
        date +%s
        """;
}
