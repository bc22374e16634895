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

# sha256 [FILE] — its SHA-256, or that of the standard input; SHA256 is the command that prints it with the file's name.
if have sha256sum; then SHA256=(sha256sum); else SHA256=(shasum -a 256); fi
sha256() { "${SHA256[@]}" "$@" | cut -d ' ' -f 1; }

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

# ---- folders -----------------------------------------------------------------------------------------------------

# make_in FOLDER — whether something can be made in FOLDER, which is made where it is missing. WHY_NOT says why it cannot.
WHY_NOT=''
make_in() {
  local probe="$1/.probe-$$"
  if WHY_NOT="$(mkdir -p "$1" 2>&1 && mkdir "$probe" 2>&1)"; then
    rmdir "$probe"
    return 0
  fi
  WHY_NOT="${WHY_NOT##*: }"
  return 1
}

# The folder for logs: with the tools, or in this checkout where the tools may only be read.
logs_folder() {
  local folder
  for folder in "$TOOLS/logs" "$PWD/target/logs"; do
    if make_in "$folder"; then printf '%s' "$folder" && return 0; fi
  done
  mktemp -d
}

# ---- why something could not be done -----------------------------------------------------------------------------

# proxy_settings — the proxies that are set, as NAME=VALUE lines, without the password that may be in them.
proxy_settings() {
  local name
  for name in https_proxy HTTPS_PROXY all_proxy ALL_PROXY http_proxy npm_config_https_proxy npm_config_proxy CARGO_HTTP_PROXY; do
    [ -z "${!name:-}" ] || printf '%s=%s\n' "$name" "${!name}" | sed 's#//[^/@]*@#//#'
  done
}

# answers HOST PORT — whether somebody accepts a connection there within five seconds.
answers() {
  local pid tries=25
  (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    tries=$((tries - 1))
    [ $tries -gt 0 ] || { kill "$pid" 2>/dev/null; return 1; }
    sleep 0.2
  done
  wait "$pid"
}

# dead_proxy — prints the first proxy that is set and does not answer, as NAME=VALUE; fails if there is none.
dead_proxy() {
  local setting address port
  while IFS= read -r setting; do
    [ -n "$setting" ] || continue
    address="${setting#*=}" address="${address#*://}" address="${address%%/*}"
    case "$address" in
      *:*) port="${address##*:}" ;;
      *) case "$setting" in *=https:*) port=443 ;; *=socks*) port=1080 ;; *) port=80 ;; esac ;;
    esac
    if ! answers "${address%:*}" "$port"; then
      printf '%s' "$setting"
      return 0
    fi
  done <<<"$(proxy_settings)"
  return 1
}

# network_cause LINE — what a line about a failed connection stands for: the proxy that is set, or the host that it names.
network_cause() {
  local setting proxies host
  proxies="$(proxy_settings)"
  if setting="$(dead_proxy)"; then
    printf "the network: the proxy of %s (%s) does not answer. Correct it, or 'unset %s' if the network needs none" "${setting%%=*}" "${setting#*=}" "${setting%%=*}"
    return 0
  fi
  host="$(printf '%s\n' "$1" | sed -nE -e "s#.*(https?|sparse\+https)://([A-Za-z0-9.-]+).*#\2#p; t" \
    -e "s#.*(ENOTFOUND|EAI_AGAIN|resolve host:|resolving|onnect to|connection to) '?([A-Za-z0-9-]+\.[A-Za-z0-9.-]*[A-Za-z0-9]).*#\2#p" | head -n 1)"
  if [ -n "$proxies" ]; then
    printf "the network: %s could not be reached through the proxy of %s (%s)" "${host:-a host}" "${proxies%%=*}" "$1"
  else
    printf "the network: %s could not be reached (%s). Is this machine online? Behind a proxy, set https_proxy" "${host:-a host}" "$1"
  fi
}

# cause LOG — why the command with this output failed, in one line: what would do, where that is known.
cause() {
  local log="$1" line end
  end="$(tail -n 80 "$log" 2>/dev/null | tr -d '\r' | grep -v '^sudo: unable to resolve host' || true)"
  # first PATTERN — sets `line` to the first line of the output that fits.
  first() { line="$(grep -E -i -m 1 -e "$1" <<<"$end" | sed -E 's/^[[:space:]]+//; s/^(npm (error|ERR!)|error:|E:) //' | cut -c 1-200)" && [ -n "$line" ]; }
  if first 'dpkg was interrupted|dpkg --configure -a'; then
    printf "an earlier package installation on this machine was interrupted. Run 'dpkg --configure -a' as root, then this again"
  elif first 'could not get lock|unable to (acquire|lock)|is another process using it'; then
    printf "another package installation is under way, or one that was interrupted left its lock (%s). Wait until it has ended, then run this again; if none is, run 'dpkg --configure -a' as root" "$line"
  elif first 'no space left|ENOSPC|quota exceeded'; then
    printf 'the disk is full (%s)' "$line"
  elif first 'SELF_SIGNED_CERT|self.signed certificate|UNABLE_TO_(GET|VERIFY)|unable to get local issuer|certificate verif|SSL certificate|invalid peer certificate|certificate is not trusted'; then
    printf "the network: a certificate is not trusted (%s). Behind a proxy that opens connections, name its certificate in SSL_CERT_FILE and NODE_EXTRA_CA_CERTS" "$line"
  elif first '40[34] +(not found|forbidden)|E40[34]|returned error: [45]'; then
    printf 'the server answers, but does not give what was asked for (%s)' "$line"
  elif first 'ENOTFOUND|EAI_AGAIN|E?CONN(ECTION )?(REFUSED|RESET)|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ERR_SOCKET_TIMEOUT|(could not|couldn.t) (resolve|connect)|temporary failure|failed to connect|connection timed out|network is unreachable|no route to host|operation timed out|dns error|CONNECT tunnel failed|proxy (after )?CONNECT|tunneling socket|Unable to connect to|failed to fetch|failed to download|failed to query replaced source|Could not handshake'; then
    # Of several such lines the one with a host's name tells more.
    end="$(grep -E -i -e 'ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|EHOST|ENET|resolv|connect|https?://' <<<"$end" | grep -E -e '[a-z0-9-]\.[a-z0-9]' || printf '%s' "$line")"
    first 'resolv|connect|ENOTFOUND|EAI_AGAIN|timed out|unreachable|ETIMEDOUT' || first .
    network_cause "$line"
  elif first 'EROFS|read-only file system'; then
    printf 'that file system is read-only (%s)' "$line"
  elif first 'EACCES|EPERM|permission denied|not permitted'; then
    printf "something here may not be written (%s)" "$line"
  elif first 'sudo: |not in the sudoers'; then
    printf 'sudo refused (%s)' "$line"
  elif first 'unable to locate package|no installation candidate|has no installation'; then
    # A list of packages that could not be fetched is the cause, when there is one.
    if [ -n "${UPDATE_LOG:-}" ] && [ "$log" != "$UPDATE_LOG" ] && grep -q -E -i 'failed to fetch|^Err:' "$UPDATE_LOG"; then
      cause "$UPDATE_LOG"
    else
      printf 'the distribution has no such package (%s)' "$line"
    fi
  elif first '(^|[^a-z])(error|failed|fatal|panicked|E[A-Z]{4,})'; then
    printf '%s' "$line"
  else
    first '[^ ]' && line="$(grep -v '^ *$' <<<"$end" | tail -n 1 | cut -c 1-200)"
    printf '%s' "${line:-it said nothing}"
  fi
}

# tried WAY REASON — remembers a way that did not work; give_up tells all of them.
TRIED=''
tried() { TRIED="$TRIED  - $1: $2."$'\n'; }

# Debian packages that would have helped and could not be installed for lack of root.
WANTED_PACKAGES=''

# give_up WHAT… — ends with what is missing, why each way to get it failed, and what would do.
give_up() {
  printf '%serror:%s %s\n' "$RED" "$PLAIN" "$*" >&2
  [ -z "$TRIED" ] || printf '%s' "$TRIED" >&2
  if [ -n "$WANTED_PACKAGES" ]; then
    printf "Whoever may be root here can install what is missing with 'apt-get install%s'; then run this again.\n" "$WANTED_PACKAGES" >&2
  fi
  exit 1
}

# ---- long commands -----------------------------------------------------------------------------------------------

# quietly WHAT COMMAND… — runs a long command with its output in a log, and shows that it is alive: a line that
# renews itself on a terminal, a line every 30 s elsewhere. When the command fails, the end of the log is shown
# and its exit code returned. LOG is the log of the last one.
#
# Ctrl-C ends the command, too, unless LET_FINISH is set: then it is waited for (package installation that is cut off
# leaves the machine's package system locked or half configured).
LOG='' LOGS='' LET_FINISH=''
quietly() {
  local what="$1" started elapsed pid status=0 last
  shift
  [ -n "$LOGS" ] || LOGS="$(logs_folder)"
  LOG="$LOGS/$(printf '%s' "${what%% (*}" | tr -cs 'A-Za-z0-9.' '-').log"
  step "$what"
  started=$SECONDS last=0
  if [ -n "$LET_FINISH" ]; then
    "$@" >"$LOG" 2>&1 </dev/null &
    pid=$!
    trap 'say "    ending, once this has been finished: cut off, it would leave the package system half configured"; while kill -0 "$pid" 2>/dev/null; do sleep 0.2; done; exit 130' INT TERM
  else
    # A process group of its own, so that all that the command started ends with it.
    set -m
    "$@" >"$LOG" 2>&1 </dev/null &
    pid=$!
    set +m
    trap 'kill -- "-$pid" 2>/dev/null; exit 130' INT TERM
  fi
  sleep 0.2
  while kill -0 "$pid" 2>/dev/null; do
    elapsed=$((SECONDS - started))
    if [ -t 1 ]; then
      printf '\r    %s%s  %.90s%s\033[K' "$DIM" "$(duration $elapsed)" "$(tail -n 1 "$LOG" | tr -d '\r')" "$PLAIN"
    elif [ $((elapsed - last)) -ge 30 ]; then
      last=$elapsed
      printf '    %s: %.90s\n' "$(duration $elapsed)" "$(tail -n 1 "$LOG" | tr -d '\r')"
    fi
    sleep 0.5
  done
  wait "$pid" || status=$?
  trap - INT TERM
  [ -t 1 ] && printf '\r\033[K'
  if [ "$status" -ne 0 ]; then
    printf '%sfailed%s (exit code %d) after %s. The end of its output:\n' "$RED" "$PLAIN" "$status" "$(duration $((SECONDS - started)))" >&2
    tail -n 30 "$LOG" | sed 's/^/    /' >&2
    printf '    (all of it: %s)\n' "$LOG" >&2
  else
    say "    done in $(duration $((SECONDS - started)))"
  fi
  return "$status"
}

# attempt WHAT COMMAND… — quietly, and remembers why it failed if it does.
attempt() {
  quietly "$@" && return 0
  tried "${1%% (*}" "$(cause "$LOG")"
  return 1
}

# fetch URL FILE — with curl or wget, whichever is there.
fetch() {
  if have curl; then
    curl --proto '=https' --connect-timeout 20 -sSfL -o "$2" "$1"
  elif have wget; then
    wget --timeout=20 --tries=2 -nv -O "$2" "$1"
  else
    printf 'neither curl nor wget is there\n' >&2
    return 1
  fi
}
can_fetch() { have curl || have wget; }

# ---- packages of the distribution --------------------------------------------------------------------------------

is_root() { [ "$(id -u)" -eq 0 ]; }

# can_be_root — as root, with a sudo that asks nothing, or with one that somebody at a terminal can answer; asked once.
# NO_ROOT says why not.
ROOT='' NO_ROOT=''
can_be_root() {
  if [ -z "$ROOT" ]; then
    ROOT=no
    if is_root; then
      ROOT=yes
    elif ! have sudo; then
      NO_ROOT="installing packages needs root, and there is no sudo here"
    elif sudo -n true 2>/dev/null; then
      ROOT=yes
    elif ! [ -t 0 ]; then
      NO_ROOT="installing packages needs root, and sudo wants a password, which nobody can type without a terminal"
    elif say "    Installing Debian packages; sudo may ask for your password." && sudo true; then
      ROOT=yes
    else
      NO_ROOT="installing packages needs root, and sudo refused"
    fi
  fi
  [ "$ROOT" = yes ]
}

as_root() { if is_root; then "$@"; else sudo "$@"; fi; }

apt_has() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'install ok installed'; }

# apt_install WHY PACKAGE… — installs those Debian packages that are missing; returns 1, with the reason remembered, where that
# cannot be done. Another installation that is under way is waited for.
UPDATE_LOG=''
apt_install() {
  local why="$1" package missing='' status=0
  shift
  if ! { have apt-get && have dpkg-query; }; then
    tried "packages of the distribution" "only Debian's and Ubuntu's are known here, and there is no apt-get"
    return 1
  fi
  for package in "$@"; do apt_has "$package" || missing="$missing $package"; done
  [ -n "$missing" ] || return 0
  if ! can_be_root; then
    tried "the Debian packages$missing ($why)" "$NO_ROOT"
    WANTED_PACKAGES="$WANTED_PACKAGES$missing"
    return 1
  fi
  LET_FINISH=yes
  if [ -z "$UPDATE_LOG" ]; then
    # A list that cannot be fetched may be of no matter; if it is, installing fails, and this is the cause.
    quietly "Reading the package lists" as_root apt-get update -q || true
    UPDATE_LOG="$LOG"
  fi
  # shellcheck disable=SC2086 # a list of package names, split on purpose
  attempt "Installing$missing ($why)" as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends -o DPkg::Lock::Timeout=120 $missing || status=$?
  LET_FINISH=''
  return $status
}
