namespace Gjoll.Images;

/// <summary>What is done to the tree as its root.</summary>
internal static class TreeScripts
{
    /// <summary>Before the number of the test that comes next, or a word, in a line of its own: for people who watch, and for the text of a failure.</summary>
    public const string Mark = "::gjoll ";

    /// <summary>The word before the disk is made.</summary>
    public const string DiskMark = "disk";

    /// <summary>
    /// All of it, in one set of namespaces: where memory allows, the tree is a file system of theirs that costs no disk and is gone with them. Arguments: the
    /// other scripts, folder, memory or disk, timestamp, user id and name, size, id and label of the disk, the disk, packages, overlay, tests.
    /// </summary>
    public const string Build = """
        set -euo pipefail
        assemble=$1 test=$2 make=$3 folder=$4 where=$5 timestamp=$6 user=$7 name=$8 size=$9
        shift 9
        id=$1 label=$2 disk=$3 packages=$4 overlay=$5
        shift 5
        if [ "$where" = memory ]; then mount -t tmpfs -o mode=755,nr_inodes=0 tmpfs "$folder"; fi
        tree=$folder/tree
        /bin/bash -c "$assemble" gjoll "$tree" "$timestamp" "$packages" "$overlay"
        number=0
        for command in "$@"; do
          echo "::gjoll $number"
          unshare --mount --pid --fork --kill-child --mount-proc -- /bin/bash -c "$test" gjoll "$tree" "$user" "$name" "$command"
          number=$((number + 1))
        done
        echo "::gjoll disk"
        /bin/bash -c "$make" gjoll "$tree" "$disk" "$size" "$id" "$label"
        """;

    /// <summary>Arguments: tree, timestamp, tars to lay over each other.</summary>
    public const string Assemble = """
        set -euo pipefail
        umask 022
        tree=$1 timestamp=$2
        shift 2
        mkdir "$tree"
        for layer in "$@"; do
          tar --extract --file "$layer" --directory "$tree" --numeric-owner --same-permissions --keep-directory-symlink --xattrs --xattrs-include='*' --exclude='./dev/*'
        done
        cd "$tree"
        # Traces of the building machine and of the moment: addresses it fetches from, names, logs, caches, and random numbers.
        rm -rf etc/apt/sources.list etc/apt/sources.list.d/* etc/apt/auth.conf etc/apt/auth.conf.d/* boot/initrd.img* root/.npmrc root/.cache
        rm -rf var/lib/apt/lists/* var/cache/apt/*.bin var/cache/apt/archives/* var/cache/debconf/*-old var/cache/ldconfig/aux-cache var/cache/fontconfig/*
        rm -f var/lib/dpkg/*-old etc/passwd- etc/group- etc/shadow- etc/gshadow- etc/subuid- etc/subgid- etc/.pwd.lock
        rm -f etc/dpkg/dpkg.cfg.d/99mmdebstrap etc/apt/apt.conf.d/99mmdebstrap
        rm -f var/lib/dbus/machine-id var/lib/systemd/random-seed etc/ssh/ssh_host_*
        find var/log -type f -delete
        : > etc/machine-id
        find . -xdev -newermt "@$timestamp" -exec touch --no-dereference --date="@$timestamp" {} +
        """;

    /// <summary>Arguments: tree, user id, name, the test. The tree cannot be written to, so that what a test leaves behind is not in the image.</summary>
    public const string Test = """
        set -euo pipefail
        tree=$1 user=$2 name=$3 test=$4
        mount --bind "$tree" "$tree"
        cd "$tree"
        mount -t tmpfs -o mode=755 tmpfs dev
        for node in null zero full random urandom tty; do : > dev/$node; mount --bind /dev/$node dev/$node; done
        mkdir -m 1777 dev/shm
        ln -s /proc/self/fd dev/fd
        mount -t proc proc proc
        mount -t tmpfs -o mode=1777 tmpfs tmp
        mount -t tmpfs -o mode=755 tmpfs run
        home=/root
        if [ "$user" -ne 0 ]; then home=/home/$name; mount -t tmpfs -o "mode=700,uid=$user,gid=$user" tmpfs home/"$name"; fi
        mount -o remount,bind,ro "$tree"
        exec chroot --userspec="$user:$user" --groups= "$tree" /usr/bin/env -i HOME="$home" USER="$name" LANG=C.UTF-8 \
          PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin /usr/bin/timeout --kill-after=5 120 /bin/bash -euo pipefail -c "cd; $test"
        """;

    /// <summary>Arguments: tree, file to make, kibibytes, id, label. Nothing here is left to a default of the machine.</summary>
    public const string MakeDisk = """
        set -euo pipefail
        tree=$1 disk=$2 size=$3 id=$4 label=$5
        features=none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,sparse_super,large_file,huge_file,dir_nlink,extra_isize
        mke2fs -q -F -t ext4 -O "$features" -b 4096 -I 256 -i 8192 -m 0 -J size=16 -U "$id" -L "$label" \
          -E "hash_seed=$id,lazy_itable_init=0,lazy_journal_init=0,nodiscard,root_owner=0:0" -d "$tree" "$disk" "${size}k"
        """;
}
