#!/bin/sh
# Assembles guest.S into the ELF that the demo carries, or into the file named.
set -eu
here=$(CDPATH='' cd "$(dirname "$0")" && pwd -P)
out=${1:-$here/../../patcher/src/main/resources/org/hypergraft/patcher/cli/guest.elf}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
gcc -c -x assembler-with-cpp -Wa,--noexecstack -o "$work/guest.o" "$here/guest.S"
ld -z noexecstack -z max-page-size=4096 --build-id=none --no-warn-rwx-segments \
  -T "$here/guest.lds" -o "$work/guest.elf" "$work/guest.o"
objcopy --strip-debug "$work/guest.elf" "$out"
