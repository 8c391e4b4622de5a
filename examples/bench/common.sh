# Shared by the scripts here: what to measure, how, and medians. Sourced, not run.

root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd -P)
hypergraft=$root/hypergraft

die() {
  echo "$(basename "$0"): $1" >&2
  exit 1
}

# The kernel named on the command line, or Debian's 6.1 cloud kernel where the tests find theirs.
default_kernel() {
  cache=${HYPERGRAFT_CACHE:-${XDG_CACHE_HOME:-${HOME:-}/.cache}/hypergraft}
  for folder in "${HYPERGRAFT_KERNELS:-}" "$cache/kernels"; do
    for file in "$folder"/vmlinuz-6.1.*-cloud-amd64; do
      [ ! -f "$file" ] || { echo "$file"; return; }
    done
  done
  die "name a kernel, or the folder that holds some in HYPERGRAFT_KERNELS"
}

# measure LOG COMMAND...: runs it, prints "CPU WALL" (seconds of user and system time of all
# threads), standard output and error in LOG. Needs bash's times; no other tool.
measure() {
  log=$1
  shift
  bash -c '
    log=$1; shift
    TIMEFORMAT="%U %S %R"
    time=$({ time "$@" >"$log" 2>&1 </dev/null; } 2>&1); status=$?
    set -- $time
    awk -v u="$1" -v s="$2" -v r="$3" "BEGIN { printf \"%.3f %.3f\n\", u + s, r }"
    exit $status' measure "$log" "$@"
}

# The median of the numbers on standard input, one per line.
median() {
  sort -n | awk '{ v[NR] = $1 } END {
    if (NR == 0) { print "-"; exit }
    if (NR % 2) print v[(NR + 1) / 2]; else printf "%.3f\n", (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}
