#!/bin/bash
# Shows the last lines of a log file: --path=/var/log/syslog --lines=50
set -euo pipefail

fail() {
    printf '%s\n' "$1" >&2
    exit 1
}

path='' lines=50
for argument in "$@"; do
    case $argument in
        --path=*) path=${argument#--path=} ;;
        --lines=*) lines=${argument#--lines=} ;;
        *) fail "“$argument” is not an argument of this script. It takes --path and --lines." ;;
    esac
done

[[ $path == /* ]] || fail "“$path” is not a full path. Give one such as /var/log/syslog."
[[ $lines =~ ^[1-9][0-9]{0,2}$ ]] || fail "“$lines” is not a number of lines. Give one from 1 to 999."
real=$(realpath -e -- "$path" 2>/dev/null) || fail "There is no file $path on this machine. Check the path."

# Whoever may read logs may not read keys: only what is a log by its place or its name.
case $real in
    /var/log/* | *.log | *.log.[0-9] | *.log.[0-9][0-9]) ;;
    *) fail "$real is not a log file: those end in .log or lie below /var/log." ;;
esac
[[ -f $real ]] || fail "$real is not a regular file, so it has no last lines. Check the path."
{ exec 3<"$real"; } 2>/dev/null || fail "$real can't be read by Deputy's account on this machine."

# What was checked must be what was opened, even if somebody swapped it meanwhile.
[[ $(readlink /proc/self/fd/3) == "$real" ]] || fail "$real was replaced while it was being opened. Ask again."

tail -n "$lines" <&3
