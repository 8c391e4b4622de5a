#!/bin/bash
# Wall time of a patch: a cold start of the command, and warm inside one JVM; objcopy for comparison.
#
#   examples/bench/patch-speed.sh [KERNEL] [RUNS]
set -u
. "$(dirname "$0")/common.sh"

kernel=${1:-$(default_kernel)} || exit 1
runs=${2:-7}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
"$hypergraft" inspect "$kernel" --extract "$work/vmlinux" >/dev/null || exit 1

report() { # NAME COMMAND...
  name=$1
  shift
  : >"$work/wall"
  : >"$work/cpu"
  for _ in $(seq "$runs"); do
    figures=$(measure "$work/log" "$@") || { cat "$work/log" >&2; die "$name failed"; }
    echo "${figures#* }" >>"$work/wall"
    echo "${figures% *}" >>"$work/cpu"
  done
  printf '%-34s %7s s wall  %7s CPU s  (median of %d)\n' \
    "$name" "$(median <"$work/wall")" "$(median <"$work/cpu")" "$runs"
}

patch="$hypergraft patch --target kvm"
$patch "$kernel" -o "$work/out" >/dev/null 2>&1 || die "the patch failed" # archive made here
report "patch, cold, from the bzImage" $patch "$kernel" -o "$work/out"
report "patch, cold, from the vmlinux" $patch "$work/vmlinux" -o "$work/out"
if command -v objcopy >/dev/null; then
  report "objcopy of the vmlinux" objcopy "$work/vmlinux" "$work/copy"
fi
[ -d "$root/examples/target/classes" ] || die "run 'mvn -B -DskipTests package' first for the warm figure"
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
"$java" -cp "$root/examples/target/classes:$root/patcher/target/hypergraft.jar" \
  org.hypergraft.examples.PatchBenchmark "$work/vmlinux" "$runs"
