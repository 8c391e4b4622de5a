#!/bin/bash
# A session in a sealed kernel and in the original, on QEMU (TCG) with the kernel's own modules:
# modules are loaded and used, functions traced, kprobes set, static keys flipped, CPUs taken away.
# Both must give the same results, and the sealed kernel no warning that the original does not give.
#
#   examples/session/sealed-session.sh [KERNEL [CPUS]]
#
# KERNEL is a Debian kernel for x86-64 (default: 6.1 cloud), CPUS 1 or 2 (default: both). The modules
# come from the kernel's package and busybox from its own: from the folder that HYPERGRAFT_PACKAGES
# names (*.deb), or by apt-get download, also from other Debian releases than this machine's.
# Exit status: 0 same, 1 not, 77 something is missing here (QEMU, network) and nothing was tried.
set -u
. "$(dirname "$0")/../bench/common.sh"

# What both machines have in common: QEMU's translator lacks some of the baseline model's features,
# and has some that the model lacks.
model=baseline,-fsrm,-tsc_adjust,-x2apic,-tsc_deadline,-invariant_tsc
qemu_cpu=qemu64,-hypervisor,-sse3,-svm,+smep,+smap,+umip,+fsgsbase,+erms,+rdtscp,+pdpe1gb,+arat
# Alternatives, jump labels, static calls, retpolines, locks: one that depends on another comes last.
modules="irqbypass dm-mod fuse brd:rd_nr=1,rd_size=4096 loop kvm"
# Functions that the session calls: their rewritten sites get kprobes. Calls with a CS prefix do not:
# the original, too, returns into the last byte of such a call after a probe, and dies.
probed='ksys_sync|sync_inodes_sb|__x64_sys_sethostname|do_nanosleep|wake_up_new_task|exit_mmap'
probed="$probed|do_set_pte|set_pte_range|copy_page"
limit=300 # seconds for one boot

skip() {
  echo "$(basename "$0"): skipped: $1" >&2
  exit 77
}

kernel=${1:-$(default_kernel)} || exit 77
for tool in qemu-system-x86_64 cpio dpkg-deb xz; do
  command -v $tool >/dev/null || skip "$tool is not installed"
done
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

"$hypergraft" inspect "$kernel" --extract "$work/vmlinux" >"$work/inspect" || exit 1
release=$(sed -n 's/^kernel .*Linux version \([^ ]*\) .*/\1/p' "$work/inspect")
[ -n "$release" ] || die "$kernel: no Linux version in its banner"

# apt_of CODENAME: apt options that see Debian's CODENAME through this machine's own mirrors.
apt_of() {
  local state=$work/apt-$1 mirrors
  mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
  mirrors=$(apt-get indextargets --format '$(SITE) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    awk '$1 ~ /debian/ { print $2 }' | sort -u)
  for uri in $mirrors; do
    case $uri in
      *security*) echo "deb $uri $1-security main" ;;
      *) echo "deb $uri $1 main" ;;
    esac
  done >"$state/sources.list"
  apt="-o Dir::Etc::sourcelist=$state/sources.list -o Dir::Etc::sourceparts=- \
    -o Dir::State::lists=$state/lists -o Dir::Cache=$state/cache"
  # shellcheck disable=SC2086
  apt-get $apt -qq update >"$work/log" 2>&1
}

# unpack PACKAGE FOLDER
unpack() {
  local deb
  deb=$(ls "${HYPERGRAFT_PACKAGES:-/nonexistent}/$1"_*.deb 2>/dev/null | head -n 1)
  if [ -z "$deb" ]; then
    command -v apt-get >/dev/null || return 1
    mkdir -p "$work/deb"
    # shellcheck disable=SC2086
    (cd "$work/deb" && timeout 300 apt-get $apt -qq download "$1") >"$work/log" 2>&1 || return 1
    deb=$(ls "$work/deb/$1"_*.deb | head -n 1)
  fi
  dpkg-deb -x "$deb" "$2"
}

apt=
unpack busybox-static "$work/busybox" || skip "package busybox-static cannot be had"
if ! unpack "linux-image-$release" "$work/linux"; then
  case $release in
    *+deb14*) codename=forky ;;
    *+deb13*) codename=trixie ;;
    6.1.*) codename=bookworm ;;
    5.10.*) codename=bullseye ;;
    *) skip "package linux-image-$release cannot be had" ;;
  esac
  apt_of $codename && unpack "linux-image-$release" "$work/linux" ||
    skip "package linux-image-$release cannot be had"
fi

# The initramfs: busybox, the modules, the places of the kprobes, the session itself.
root_fs=$work/initramfs
mkdir -p "$root_fs"/{bin,dev,proc,sys,modules}
cp "$(find "$work/busybox" -path "*/bin/busybox" -type f)" "$root_fs/bin/busybox"
cp "$(dirname "$0")/guest-init" "$root_fs/init"
for item in $modules; do
  name=${item%%:*}
  file=$(find "$work/linux" -name "$name.ko" -o -name "$name.ko.xz" | head -n 1)
  if [ -z "$file" ]; then
    grep -rqs "/$name.ko" "$work/linux" --include=modules.builtin && continue
    die "package linux-image-$release has no module $name"
  fi
  case $file in
    *.xz) xz -dc "$file" >"$root_fs/modules/$name.ko" ;;
    *) cp "$file" "$root_fs/modules/$name.ko" ;;
  esac
  case $item in *:*) options=${item#*:} ;; *) options= ;; esac
  echo "$name ${options//,/ }" >>"$root_fs/modules/order"
done
"$hypergraft" sites "$work/vmlinux" |
  awk -v f="^($probed)[+]" '$3 ~ /altinstr|retpoline|return|parainstr/ && $5 ~ f && $6 != "2e" {
    if (!seen[$5]++) print $5 }' >"$root_fs/probes"
(cd "$root_fs" && find . | cpio -o -H newc --quiet) >"$work/initramfs.cpio"

# session KERNEL CPUS OUT: the session's lines and warnings, each without its time.
session() {
  local clock=
  # Time by instructions, so that no warning depends on how busy the host is; two CPUs crawl with it.
  [ "$2" != 1 ] || clock='-icount 1,sleep=off'
  # shellcheck disable=SC2086
  timeout $limit qemu-system-x86_64 -accel tcg,thread=single $clock -machine q35 -m 512 -smp "$2" \
    -cpu $qemu_cpu -nodefaults -no-reboot -display none -serial stdio -kernel "$1" \
    -initrd "$work/initramfs.cpio" \
    -append "console=ttyS0 quiet panic=-1 cryptomgr.notests" </dev/null >"$work/console" 2>&1
  tr -d '\r' <"$work/console" | grep -aE '^(session|warning): ' >"$3"
  if grep -E '^session: (failed|error|.*: 0 live)' "$3" ||
    awk '/^session/ && $(NF - 1) == "of" && $(NF - 2) != $NF { print; bad = 1 } END { exit !bad }' "$3"; then
    die "$1: the session itself went wrong"
  fi
  grep -q '^session: end' "$3" || { tail -n 30 "$work/console" >&2; die "$1: no session's end"; }
}

different=0
for cpus in ${2:-1 2}; do
  "$hypergraft" profile "$kernel" --hypervisor none --cpu $model --cpus "$cpus" \
    -o "$work/profile" >/dev/null &&
    "$hypergraft" patch "$kernel" --target native --profile "$work/profile" --seal \
      -o "$work/sealed" >/dev/null || exit 1
  session "$work/vmlinux" "$cpus" "$work/original.txt"
  session "$work/sealed" "$cpus" "$work/sealed.txt"
  echo "$release, $cpus CPU(s):"
  sed -n 's/^session: \(.*\)/  \1/p' "$work/sealed.txt" | grep -v '^  end$'
  grep '^session: ' "$work/original.txt" >"$work/a"
  grep '^session: ' "$work/sealed.txt" >"$work/b"
  if diff "$work/a" "$work/b" >"$work/diff"; then
    echo "  => same results as the original's"
  else
    echo "  => results differ (< original, > sealed):"
    cat "$work/diff"
    different=1
  fi
  sed -n 's/^warning: //p' "$work/original.txt" | sort -u >"$work/a"
  sed -n 's/^warning: //p' "$work/sealed.txt" | sort -u >"$work/b"
  comm -13 "$work/a" "$work/b" >"$work/new"
  # With two CPUs time is the host's, and what the kernel says of its clocks depends on the load.
  [ "$cpus" = 1 ] || sed -i -E '/^(tsc|clocksource|hrtimer|APIC calibration)/d' "$work/new"
  if [ -s "$work/new" ]; then
    echo "  => warnings that the original does not give:"
    sed 's/^/  /' "$work/new"
    different=1
  else
    echo "  => no new warning ($(wc -l <"$work/a") in the original, $(wc -l <"$work/b") here)"
  fi
done
exit $different
