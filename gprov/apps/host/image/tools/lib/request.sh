# Requests to /init for the next start: gprov-factory-restore and gprov-erase.
# Format of the file: gprov/domain/boot/boot_request.py.
# shellcheck shell=sh disable=SC2154 # names come from common.sh

request_file=$config/boot_request
# Written by a kernel that reads requests, at each start.
accepted=/run/gprov-requests

require_kernel() {
    [ -e "$accepted" ] ||
        fail "the kernel that started this system does not read requests: choose in the boot menu instead"
}

# The serial number in the facts of the platform, which /init compares with that of the machine.
read_serial() {
    serial=$(json_values "$config/platform_facts.json" | json_value Serial) || serial=
    [ -n "$serial" ] || fail "$config/platform_facts.json states no serial number: this system was not restored by gprov"
}

# write_request LINE…: durable, whole or not at all.
write_request() {
    if rm -f "$request_file.new" && printf '%s\n' "$@" >"$request_file.new" && sync "$request_file.new" &&
        mv -f "$request_file.new" "$request_file" && [ -f "$request_file" ] && sync "$config"; then
        return
    fi
    # What is not known to be durable must not surprise at the next start.
    rm -f "$request_file.new" "$request_file" || fail "$request_file cannot be written, nor an earlier request be removed"
    fail "$request_file cannot be written: nothing is requested"
}
cancel_request() {
    if ! [ -e "$request_file" ] && ! [ -L "$request_file" ]; then
        echo "$tool: nothing was requested"
        return
    fi
    rm -f "$request_file" && sync "$config" || fail "$request_file cannot be removed"
    echo "$tool: the request is withdrawn; the next start is a normal one"
}
show_request() {
    if ! [ -e "$request_file" ]; then
        echo "nothing is requested"
    else
        cat "$request_file" || fail "$request_file cannot be read"
    fi
}

# ask QUESTION WANTED: true if the person types just that.
ask() {
    [ -t 0 ] || return 1
    printf '%s ' "$1" >&2
    IFS= read -r answer && [ "$answer" = "$2" ]
}

restart() {
    if [ -z "$1" ]; then
        echo "$tool: it happens at the next start; $tool --cancel withdraws it until then"
        return
    fi
    exec systemctl reboot
}
