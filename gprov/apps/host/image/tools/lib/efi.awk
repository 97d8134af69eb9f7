# Reads a variable of efivarfs from `od -An -v -tu1`, and prints its content. UEFI specification, 3.1.3 (load options):
# after 4 bytes of attributes of the variable: attributes (4), length of the device path (2), description (UTF-16,
# ends with 0), device path, optional data: the kernel's arguments in UTF-16.
#
#   -v want=number       a 16-bit number, as four hexadecimal digits (BootCurrent, BootNext)
#   -v want=numbers      a list of them (BootOrder)
#   -v want=option       description, tab, arguments

{ for (i = 1; i <= NF; i++) bytes[count++] = $i }

function unit(at) { return bytes[at] + 256 * bytes[at + 1] }
function shown(code) { return code >= 32 && code < 127 ? sprintf("%c", code) : "?" }

END {
    if (want == "number" && count == 6) printf "%04X\n", unit(4)
    else if (want == "numbers" && count > 4 && count % 2 == 0) {
        for (at = 4; at < count; at += 2) printf "%s%04X", (at > 4 ? " " : ""), unit(at)
        print ""
    } else if (want == "option" && count >= 12) {
        for (at = 10; at + 1 < count && unit(at); at += 2) description = description shown(unit(at))
        at += 2 + unit(8)
        for (; at + 1 < count && unit(at); at += 2) arguments = arguments shown(unit(at))
        print description "\t" arguments
    } else exit 1
}
