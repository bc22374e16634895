# What the other scripts share: saying what happens, running long commands visibly, installing packages.
# Written for bash 3.2 and later, so that it also runs on a stock macOS.

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
  BOLD=$'\e[1m' DIM=$'\e[2m' RED=$'\e[31m' GREEN=$'\e[32m' PLAIN=$'\e[0m'
else
  BOLD='' DIM='' RED='' GREEN='' PLAIN=''
fi

say() { printf '%s\n' "$*"; }
step() { printf '%s==>%s %s\n' "$BOLD" "$PLAIN" "$*"; }

# die MESSAGE… — one clear error, then exit code 1.
die() {
  printf '%serror:%s %s\n' "$RED" "$PLAIN" "$*" >&2
  exit 1
}

# misuse MESSAGE… — an error in how the command was called: exit code 2.
misuse() {
  printf '%serror:%s %s\n' "$RED" "$PLAIN" "$*" >&2
  exit 2
}

have() { command -v "$1" >/dev/null 2>&1; }

# duration SECONDS — "8 s" or "3 min 20 s".
duration() {
  if [ "$1" -lt 60 ]; then printf '%d s' "$1"; else printf '%d min %02d s' $(($1 / 60)) $(($1 % 60)); fi
}

# version_at_least HAVE WANT — compares dotted numbers, e.g. 1.96.0 and 1.95.
version_at_least() {
  local have_part want_part have_rest="${1%%[^0-9.]*}." want_rest="$2."
  while [ -n "$want_rest" ]; do
    have_part="${have_rest%%.*}" want_part="${want_rest%%.*}"
    have_rest="${have_rest#*.}" want_rest="${want_rest#*.}"
    [ "${have_part:-0}" -gt "${want_part:-0}" ] && return 0
    [ "${have_part:-0}" -lt "${want_part:-0}" ] && return 1
  done
  return 0
}

# quietly WHAT COMMAND… — runs a long command with its output in a log, and shows that it is alive: a line that
# renews itself on a terminal, a line every 30 s elsewhere. When the command fails, the end of the log is shown
# and its exit code returned.
quietly() {
  local what="$1" log started elapsed pid status=0 last
  shift
  mkdir -p "$TOOLS/logs"
  log="$TOOLS/logs/$(printf '%s' "$what" | tr -cs 'A-Za-z0-9.' '-').log"
  step "$what"
  started=$SECONDS last=0
  "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  trap 'kill "$pid" 2>/dev/null; exit 130' INT TERM
  sleep 0.2
  while kill -0 "$pid" 2>/dev/null; do
    elapsed=$((SECONDS - started))
    if [ -t 1 ]; then
      printf '\r    %s%s  %.90s%s\033[K' "$DIM" "$(duration $elapsed)" "$(tail -n 1 "$log" | tr -d '\r')" "$PLAIN"
    elif [ $((elapsed - last)) -ge 30 ]; then
      last=$elapsed
      printf '    %s: %.90s\n' "$(duration $elapsed)" "$(tail -n 1 "$log" | tr -d '\r')"
    fi
    sleep 0.5
  done
  wait "$pid" || status=$?
  trap - INT TERM
  [ -t 1 ] && printf '\r\033[K'
  if [ "$status" -ne 0 ]; then
    printf '%sfailed%s (exit code %d) after %s. The end of its output:\n' "$RED" "$PLAIN" "$status" "$(duration $((SECONDS - started)))" >&2
    tail -n 30 "$log" | sed 's/^/    /' >&2
    printf '    (all of it: %s)\n' "$log" >&2
  else
    say "    done in $(duration $((SECONDS - started)))"
  fi
  return "$status"
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif have sudo; then
    sudo "$@"
  else
    die "this needs root: $*. Run it as root, or install sudo."
  fi
}

apt_has() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'install ok installed'; }

# apt_install WHY PACKAGE… — installs those Debian packages that are missing; returns 1 where that cannot be done.
APT_UPDATED=''
apt_install() {
  local why="$1" package missing=''
  shift
  have apt-get && have dpkg-query || return 1
  for package in "$@"; do apt_has "$package" || missing="$missing $package"; done
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    say "    $why needs the Debian packages$missing; sudo may ask for your password."
    as_root true || return 1
  fi
  if [ -z "$APT_UPDATED" ]; then
    quietly "Reading the package lists" as_root apt-get update -q || return 1
    APT_UPDATED=yes
  fi
  # shellcheck disable=SC2086 # a list of package names, split on purpose
  quietly "Installing$missing ($why)" as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends $missing
}
