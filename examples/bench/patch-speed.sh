#!/bin/bash
# What a patch of all tables costs, sealed by a profile: wall time and memory of the command from a
# cold start, wall time inside a warm JVM, and objcopy of the same file for comparison. Goals: 1.5 s
# cold, 10 times objcopy warm, 6 times the image in memory.
#
#   examples/bench/patch-speed.sh [KERNEL] [RUNS]
set -u
. "$(dirname "$0")/common.sh"

kernel=${1:-$(default_kernel)} || exit 1
runs=${2:-7}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
[ -d "$root/examples/target/classes" ] || die "run 'mvn -B -DskipTests package' first for the warm figure"
"$hypergraft" inspect "$kernel" --extract "$work/vmlinux" >/dev/null || exit 1
"$hypergraft" profile "$work/vmlinux" --hypervisor kvm --cpu zen --cpus 2 -o "$work/profile" \
  >/dev/null || exit 1
size=$(stat -c %s "$work/vmlinux")

# report NAME COMMAND...: prints the medians of its wall and CPU time, leaves that of the wall in $wall
report() {
  name=$1
  shift
  : >"$work/wall"
  : >"$work/cpu"
  for _ in $(seq "$runs"); do
    figures=$(measure "$work/log" "$@") || { cat "$work/log" >&2; die "$name failed"; }
    echo "${figures#* }" >>"$work/wall"
    echo "${figures% *}" >>"$work/cpu"
  done
  wall=$(median <"$work/wall")
  printf '%-34s %7s s wall  %7s CPU s  (median of %d)\n' "$name" "$wall" "$(median <"$work/cpu")" "$runs"
}

# peak NAME COMMAND...: prints the most memory that it held, from the kernel's own account.
peak() {
  name=$1
  shift
  if [ -x /usr/bin/time ]; then
    kib=$(/usr/bin/time -f %M "$@" 2>&1 >/dev/null | tail -n 1)
  elif command -v python3 >/dev/null; then
    kib=$(python3 -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' "$@" | tail -n 1)
  else
    printf '%-34s not measured: neither /usr/bin/time nor python3 here\n' "$name"
    return
  fi
  awk -v n="$name" -v k="$kib" -v s="$size" 'BEGIN {
    printf "%-34s %7.0f MiB, %.1f times the image of %.0f MiB\n", n, k / 1024, k * 1024 / s, s / 1048576 }'
}

patch="$hypergraft patch --target kvm --seal --profile $work/profile"
$patch "$kernel" -o "$work/out" >/dev/null 2>&1 || die "the patch failed" # archive made here
report "patch, cold, from the bzImage" $patch "$kernel" -o "$work/out"
report "patch, cold, from the vmlinux" $patch "$work/vmlinux" -o "$work/out"
peak "memory, from the bzImage" $patch "$kernel" -o "$work/out"
peak "memory, from the vmlinux" $patch "$work/vmlinux" -o "$work/out"
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
warm=$("$java" -cp "$root/examples/target/classes:$root/patcher/target/hypergraft.jar" \
  org.hypergraft.examples.PatchBenchmark "$work/vmlinux" "$work/profile" "$runs") || exit 1
printf '%-34s %7s s wall                 (median of %d)\n' "patch, warm, in one JVM" "$warm" "$runs"
if command -v objcopy >/dev/null; then
  report "objcopy of the vmlinux" objcopy "$work/vmlinux" "$work/copy"
  awk -v w="$warm" -v o="$wall" 'BEGIN { printf "%-34s %7.1f times objcopy\n", "patch, warm", w / o }'
fi
