# Prints the values of a JSON document (RFC 8259), one a line: path, tab, value. Keys are joined by ".", positions in
# arrays count from 0: `NICInfo.SharedDiagPorts.0<tab>2`. Control characters and backslashes stay escaped, so that a
# value is one line. Exit status 1: not JSON. Works in mawk, gawk and busybox' awk.

function fail(what) { if (!failed) print "not JSON: " what " at character " at > "/dev/stderr"; failed = 1 }
function blanks() { while (substr(text, at, 1) ~ /^[ \t\r\n]$/) at++ }
function hex4(digits,    value, i) {
    value = 0
    for (i = 1; i <= 4; i++) value = value * 16 + index("0123456789abcdef", tolower(substr(digits, i, 1))) - 1
    return value
}

# A code point of the basic plane as UTF-8; others, and control characters, stay escaped.
function utf8(code, escape) {
    if (code < 32 || code == 127 || (code >= 55296 && code < 57344)) return escape
    if (code < 128) return sprintf("%c", code)
    if (code < 2048) return sprintf("%c%c", 192 + int(code / 64), 128 + code % 64)
    return sprintf("%c%c%c", 224 + int(code / 4096), 128 + int(code / 64) % 64, 128 + code % 64)
}

function string(    value, c, escape) {
    value = ""
    at++
    while (!failed) {
        c = substr(text, at, 1)
        if (c == "\"") { at++; return value }
        if (c == "" || c ~ /^[\001-\037]$/) { fail("a string does not end"); break }
        if (c != "\\") { value = value c; at++; continue }
        escape = substr(text, at, 2)
        if (escape == "\\u") {
            escape = substr(text, at, 6)
            if (escape !~ /^\\u[0-9a-fA-F][0-9a-fA-F][0-9a-fA-F][0-9a-fA-F]$/) fail("a wrong escape")
            value = value utf8(hex4(substr(escape, 3)), escape)
        } else if (escape == "\\\"" || escape == "\\/") value = value substr(escape, 2)
        else if (escape ~ /^\\[\\bfnrt]$/) value = value escape
        else fail("a wrong escape")
        at += length(escape)
    }
    return value
}

function object(path,    key) {
    at++
    blanks()
    if (substr(text, at, 1) == "}") { at++; return }
    while (!failed) {
        blanks()
        if (substr(text, at, 1) != "\"") { fail("a key is missing"); return }
        key = string()
        blanks()
        if (substr(text, at++, 1) != ":") { fail("a colon is missing"); return }
        value_at(path == "" ? key : path "." key)
        blanks()
        if (substr(text, at, 1) == "}") { at++; return }
        if (substr(text, at++, 1) != ",") { fail("a comma is missing"); return }
    }
}

function array(path,    count) {
    at++
    count = 0
    blanks()
    if (substr(text, at, 1) == "]") { at++; return }
    while (!failed) {
        value_at(path "." count++)
        blanks()
        if (substr(text, at, 1) == "]") { at++; return }
        if (substr(text, at++, 1) != ",") { fail("a comma is missing"); return }
    }
}

function value_at(path,    c, end, word) {
    blanks()
    c = substr(text, at, 1)
    if (++depth > 50) fail("more than 50 levels")
    else if (c == "{") object(path)
    else if (c == "[") array(path)
    else if (c == "\"") print path "\t" string()
    else {
        for (end = at; substr(text, end, 1) ~ /^[-+.0-9A-Za-z]$/; end++) continue
        word = substr(text, at, end - at)
        if (word !~ /^(true|false|null|-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?)$/) fail("a value is missing")
        else print path "\t" word
        at = end
    }
    depth--
}

{ text = text $0 "\n" }

END {
    at = 1
    value_at("")
    blanks()
    if (!failed && at <= length(text)) fail("more than one value")
    exit failed
}
