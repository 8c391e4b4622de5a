#!/bin/bash
# CPU seconds of a boot to userspace, ours against QEMU's TCG: the same vmlinux by PVH, and the
# bzImage as it is, side by side.
#
#   examples/bench/boot-speed.sh [KERNEL] [RUNS]
#
# Prints every run, where our time went, the medians and their ratio, with the kernel's crypto self
# tests and without.
set -u
. "$(dirname "$0")/common.sh"

kernel=${1:-$(default_kernel)} || exit 1
runs=${2:-5}
command -v qemu-system-x86_64 >/dev/null || die "qemu-system-x86_64 is not installed"

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
"$hypergraft" inspect "$kernel" --extract "$work/vmlinux" >/dev/null || exit 1
"$hypergraft" boot --write-initramfs "$work/initramfs" || exit 1
base="console=ttyS0 panic=-1"

ours() {
  measure "$work/log" "$hypergraft" boot "$1" --hypervisor none --memory 256M \
    --initrd "$work/initramfs" --cmdline "$2"
}

theirs() {
  measure "$work/log" qemu-system-x86_64 -accel tcg,thread=single -machine q35 -m 256 -nodefaults \
    -no-reboot -display none -serial stdio -kernel "$1" -initrd "$work/initramfs" \
    -append "$2"
}

# compare IMAGE WHAT OPTIONS
compare() {
  echo "$2, command line: $base $3"
  : >"$work/ours"
  : >"$work/theirs"
  for run in $(seq "$runs"); do
    for who in ours theirs; do
      figures=$($who "$1" "$base $3") || { tail -n 20 "$work/log" >&2; die "$who: the boot failed"; }
      grep -q USERSPACE-OK "$work/log" || { tail -n 20 "$work/log" >&2; die "$who: no userspace"; }
      echo "$figures" >>"$work/$who"
      printf '  run %d  %-6s  %6s CPU s  %6s s\n' "$run" "$who" ${figures}
      [ $who = theirs ] ||
        grep -a -e '^boot: .* instructions per' -e '^boot: CPU s:' "$work/log" | sed 's/^/          /'
    done
  done
  a=$(cut -d' ' -f1 "$work/ours" | median)
  b=$(cut -d' ' -f1 "$work/theirs" | median)
  awk -v a="$a" -v b="$b" 'BEGIN {
    printf "  median  ours %.2f CPU s, QEMU TCG %.2f CPU s, ratio %.2f\n", a, b, a / b }'
}

ours "$work/vmlinux" "$base" >/dev/null # builds, and makes the class-data archive
compare "$work/vmlinux" "vmlinux by PVH" ""
compare "$work/vmlinux" "vmlinux by PVH" cryptomgr.notests
compare "$kernel" bzImage ""
