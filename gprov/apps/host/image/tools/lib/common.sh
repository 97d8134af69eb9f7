# What gprov's tools share. POSIX sh; a tool sets $tool and sources this file. Exit statuses, as of the command gprov:
# 0 done, 1 negative verdict, 2 usage, 3 a file, device or program is missing or failed.
# shellcheck shell=sh
set -u
umask 022
LC_ALL=C
export LC_ALL

# Names of this product: recovery_label, config, log, image_prefix, mac_prefix.
# shellcheck source=/dev/null
. /usr/lib/gprov/names

warn() { printf '%s: %s\n' "$tool" "$*" >&2; }
fail() {
    warn "$*"
    exit 3
}
refuse() {
    warn "$*"
    exit 1
}
# The lines of help in the tool's own head: from the second line to the first one that is no comment.
help_text() {
    while read -r line; do
        case $line in '#!'*) ;; '#') echo ;; '# '*) echo "${line#??}" ;; *) return ;; esac
    done <"$0"
}
usage() {
    warn "$1"
    help_text >&2
    exit 2
}

# need PROGRAM PACKAGE: end with a message if the image has no such program.
need() { command -v "$1" >/dev/null 2>&1 || fail "needs the program $1, which this image does not have: add $2 to it"; }
need_root() { [ "$(id -u)" -eq 0 ] || fail "must be run by root"; }

# Values of a JSON file, one a line: path, tab, value.
json_values() { awk -f /usr/lib/gprov/json.awk "$1"; }
# json_value PATH: of what json_values printed to standard input.
json_value() {
    while IFS='	' read -r path value; do
        if [ "$path" = "$1" ]; then
            printf '%s\n' "$value"
            return 0
        fi
    done
    return 1
}

# Where fstab mounts RECOVERY.
recovery_folder() {
    while read -r device folder _; do
        case $device in '' | '#'*) continue ;; esac
        if [ "$device" = "LABEL=$recovery_label" ] || [ "${folder##*/}" = "$recovery_label" ]; then
            echo "$folder"
            return 0
        fi
    done </etc/fstab
    return 1
}
is_mounted() {
    while read -r _ _ _ _ target _; do
        [ "$target" = "$1" ] && return 0
    done </proc/self/mountinfo
    return 1
}
# Sets $recovery. Ends the tool if RECOVERY is not mounted.
find_recovery() {
    recovery=$(recovery_folder) || fail "/etc/fstab does not mount $recovery_label"
    is_mounted "$recovery" || fail "$recovery is not mounted"
}

# Little-endian numbers and bytes of a file: bytes FILE OFFSET COUNT prints them as decimal numbers.
bytes() { dd if="$1" bs=1 skip="$2" count="$3" 2>/dev/null | od -An -v -tu1 | tr -s '\n ' '  '; }
