#!/bin/bash
# Guest work per CPU second, ours against QEMU's TCG: one guest run each, the same kernel and init.
#
#   examples/bench/guest-speed.sh [KERNEL] [WORK...]
#
# guest-speed.c says what is done. The CPU time of the whole emulating process (all its threads) is
# read when the guest announces the begin and the end of each work on its console; checksums must be
# equal. WORK... does only those. The ratio is QEMU's time by ours: above 1, ours is faster.
#
# Needs gcc and qemu-system-x86_64. GUEST_SPEED_ONLY=ours|theirs runs one of the two and prints its
# checksums and seconds.
set -u
. "$(dirname "$0")/common.sh"

kernel=${1:-$(default_kernel)} || exit 1
[ $# -eq 0 ] || shift
for tool in gcc qemu-system-x86_64; do
  command -v $tool >/dev/null || die "$tool is not installed"
done

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
gcc -O2 -march=x86-64 -fno-tree-vectorize -fno-tree-loop-distribute-patterns -ffreestanding \
  -fno-stack-protector -fno-pic -fno-asynchronous-unwind-tables -mno-red-zone \
  -nostdlib -static -Wl,--build-id=none -o "$work/init" \
  "$(dirname "$0")/guest-speed.c" || die "the init does not build"

# One member of a cpio archive in the "newc" format (Linux, Documentation/driver-api/early-userspace/
# buffer-format.rst): header, name, contents, each padded to four bytes.
member() { # NAME MODE MAJOR MINOR [FILE]
  size=0
  [ $# -lt 5 ] || size=$(stat -c %s "$5")
  printf '070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x' \
    0 $(($2)) 0 0 1 0 $size 0 0 "$3" "$4" $((${#1} + 1)) 0
  printf '%s\0' "$1"
  head -c $((-(110 + ${#1} + 1) & 3)) /dev/zero
  [ $# -lt 5 ] || { cat "$5" && head -c $((-size & 3)) /dev/zero; }
}
{
  member dev 040755 0 0
  member dev/console 020600 5 1
  member init 0100755 0 0 "$work/init"
  member TRAILER!!! 0 0 0
} >"$work/initramfs"
"$hypergraft" inspect "$kernel" --extract "$work/vmlinux" >/dev/null || exit 1

options="console=ttyS0 panic=-1 cryptomgr.notests quiet -- $*"
export HYPERGRAFT_CACHE=/dev/null # no class-data archive: making one puts a shell before the JVM

# Seconds of user and system time of process $1, ended threads included (proc(5), stat).
ticks=$(getconf CLK_TCK)
cpu_seconds() {
  read -r stat <"/proc/$1/stat" || return 1
  set -- ${stat##*) }
  awk -v t=$((${12} + ${13})) -v hz="$ticks" 'BEGIN { printf "%.2f", t / hz }'
}

# run OUT COMMAND...: a line "WORK CHECKSUM BEGIN END" for each work to OUT, times in CPU seconds.
run() {
  out=$1
  shift
  : >"$out"
  mkfifo "$work/console"
  "$@" >"$work/console" 2>"$work/log" </dev/null &
  process=$!
  while IFS= read -r text; do
    text=${text%$'\r'}
    case $text in
      *"BENCH "*" begin") begin=$(cpu_seconds $process) ;;
      *"BENCH "*" end "*)
        end=$(cpu_seconds $process)
        set -- ${text#*BENCH }
        echo "$1 $3 $begin $end" >>"$out"
        ;;
    esac
  done <"$work/console"
  wait $process || { tail -n 20 "$work/log" >&2; die "the guest failed"; }
  rm "$work/console"
}

if [ "${GUEST_SPEED_ONLY:-}" != theirs ]; then
  "$hypergraft" targets >/dev/null || exit 1 # builds if need be
  run "$work/ours" "$hypergraft" boot "$work/vmlinux" --hypervisor none --memory 256M \
    --initrd "$work/initramfs" --cmdline "$options" --budget 200000000000
fi
if [ "${GUEST_SPEED_ONLY:-}" != ours ]; then
  run "$work/theirs" qemu-system-x86_64 -accel tcg,thread=single -machine q35 -m 256 -nodefaults \
    -no-reboot -display none -serial stdio -kernel "$work/vmlinux" -initrd "$work/initramfs" \
    -append "$options"
fi
if [ -n "${GUEST_SPEED_ONLY:-}" ]; then
  awk '{ printf "%-20s %s %8.2f\n", $1, $2, $4 - $3 }' "$work/$GUEST_SPEED_ONLY"
  exit
fi

paste -d' ' "$work/ours" "$work/theirs" | awk '
  BEGIN { printf "%-20s %10s %10s %8s\n", "work", "ours, s", "QEMU, s", "ratio" }
  $1 != $5 || $2 != $6 { printf "%s: results differ: %s, %s\n", $1, $2, $6; bad = 1; next }
  {
    a = $4 - $3; b = $8 - $7
    printf "%-20s %10.2f %10.2f %8.2f%s\n", $1, a, b, (a > 0 ? b / a : 0), (a > b ? "  slower" : "")
    n++; slower += a > b
  }
  END { printf "%d works, ours slower in %d\n", n, slower; exit bad }'
