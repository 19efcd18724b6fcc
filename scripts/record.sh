#!/bin/sh
# Records the page allocator of the running kernel for `deno task trace`
# (docs/recording.md). POSIX shell; needs tracefs, gzip and root.
#
#     scripts/record.sh -o mine.trace.gz -- sh -c 'for i in $(seq 100); do /bin/true; done'
#     scripts/record.sh -o mine.trace.gz -t 10
#
# It works in a trace instance of its own, so that other users of tracefs are
# not disturbed, and takes that away again however it ends.
set -eu

usage() {
  cat <<'END'
Usage: record.sh [-o FILE] [-b KB] [-t SECONDS] [-s] [-n] [-- COMMAND...]

  -o FILE     where the recording goes (default: ptfuzz.trace.gz)
  -b KB       buffer of each CPU in kB (default: 65536)
  -t SECONDS  how long, where there is no COMMAND (default: until Ctrl-C)
  -s          stream while recording: for recordings longer than the buffers
  -n          no stack traces: smaller, and little is left to tell tables by

Records kmem:mm_page_alloc and kmem:mm_page_free, of all orders, with stacks.
END
}

fail() {
  echo "record.sh: $1" >&2
  exit 2
}

out=ptfuzz.trace.gz
size=65536
seconds=
stream=
stacks=1
while getopts o:b:t:snh option; do
  case $option in
    o) out=$OPTARG ;;
    b) size=$OPTARG ;;
    t) seconds=$OPTARG ;;
    s) stream=1 ;;
    n) stacks= ;;
    h) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done
shift $((OPTIND - 1))
case $size in '' | *[!0-9]*) fail "-b $size: expected a number of kB, such as 65536" ;; esac
case $seconds in *[!0-9]*) fail "-t $seconds: expected a number of seconds, such as 10" ;; esac
[ -z "$seconds" ] || [ $# -eq 0 ] || fail "-t and a command exclude each other: a recording ends with its command"
[ ! -d "$out" ] || fail "-o $out: is a directory; expected the name of a file"
[ -d "$(dirname "$out")" ] || fail "-o $out: there is no such directory; make it first"

tracefs=
for dir in /sys/kernel/tracing /sys/kernel/debug/tracing; do
  [ -d "$dir/events" ] && tracefs=$dir && break
done
if [ -z "$tracefs" ] && mount -t tracefs nodev /sys/kernel/tracing 2>/dev/null; then tracefs=/sys/kernel/tracing; fi
[ -n "$tracefs" ] || fail "there is no tracefs: become root, or use a kernel with CONFIG_FTRACE and CONFIG_EVENT_TRACING"
[ -w "$tracefs/instances" ] || fail "$tracefs may not be written: become root"
[ -d "$tracefs/events/kmem/mm_page_alloc" ] || fail "$tracefs has no event kmem:mm_page_alloc"

instance=$tracefs/instances/ptfuzz-$$
part=$out.part.$$
pipe=
clean() {
  trap - EXIT INT TERM HUP
  echo 0 > "$instance/tracing_on" 2>/dev/null || :
  [ -z "$pipe" ] || kill "$pipe" 2>/dev/null || :
  echo 0 > "$instance/events/enable" 2>/dev/null || :
  rmdir "$instance" 2>/dev/null || :
  rm -f "$part"
}
mkdir "$instance" || fail "$instance cannot be made; is there a limit to trace instances?"
trap clean EXIT
trap 'exit 130' TERM HUP

put() {
  echo "$2" > "$instance/$1" 2>/dev/null || fail "$instance/$1 does not take '$2'"
}
put tracing_on 0
put buffer_size_kb "$size"
# One clock for all CPUs: with 'local' an allocation may be printed before the free that made room for it.
put trace_clock global
# What does not fit any more is counted, and what is there has no holes.
put options/overwrite 0
if [ -n "$stacks" ]; then
  if ! echo 1 > "$instance/options/stacktrace" 2>/dev/null; then
    put events/kmem/mm_page_alloc/trigger stacktrace
    put events/kmem/mm_page_free/trigger stacktrace
  fi
fi
# No filter: a filter by order hides the free of another order, which is the fault to be found.
put events/kmem/mm_page_alloc/enable 1
put events/kmem/mm_page_free/enable 1

# The sum of one line of every CPU's statistics.
stat() {
  cat "$instance"/per_cpu/cpu*/stats | sed -n "s/^$1: //p" | { sum=0; while read -r n; do sum=$((sum + n)); done; echo "$sum"; }
}

head_lines() {
  echo "# recorder: ptfuzz scripts/record.sh"
  echo "# kernel: $(uname -r)"
  echo "# machine: $(uname -m)"
  echo "# page-size: $(getconf PAGE_SIZE 2>/dev/null || echo unknown)"
  echo "# filter: none"
}

tail_lines() {
  echo "# overrun: $(($(stat overrun) + $(stat 'commit overrun') + $(stat 'dropped events')))"
  [ -z "$stream" ] || echo "# entries: $(stat 'read events')"
}

run() {
  if [ $# -gt 0 ]; then
    "$@" || echo "record.sh: the command ended with status $?" >&2
  elif [ -n "$seconds" ]; then
    sleep "$seconds"
  else
    echo "record.sh: recording; Ctrl-C ends it" >&2
    sleep 2147483647 || :
  fi
}

if [ -n "$stream" ]; then
  { head_lines; cat "$instance/trace_pipe"; } > "$part.text" &
  pipe=$!
fi
trap : INT
put tracing_on 1
run "$@"
put tracing_on 0
trap 'exit 130' INT

if [ -n "$stream" ]; then
  # trace_pipe ends when tracing is off and everything was read.
  wait "$pipe" || :
  pipe=
  tail_lines >> "$part.text"
  gzip -c "$part.text" > "$part"
  rm -f "$part.text"
else
  { head_lines; cat "$instance/trace"; tail_lines; } | gzip -c > "$part"
fi
lost=$(($(stat overrun) + $(stat 'commit overrun') + $(stat 'dropped events')))
mv "$part" "$out"
if [ "$lost" -gt 0 ]; then
  echo "record.sh: $out lacks $lost entries: the buffers were too small; take a larger -b, or -s" >&2
  exit 1
fi
echo "record.sh: wrote $out; now: deno task trace $out" >&2
