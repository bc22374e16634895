# Finds or installs every tool at its pinned version. Quick when all is there: each function first looks.

TRUNK_VERSION=0.21.14
# One truth for these: Cargo.toml says the oldest Rust, Cargo.lock the wasm-bindgen that the page is linked with
# (its command line must be exactly the same version).
RUST_VERSION="$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)"
BINDGEN_VERSION="$(awk '/^name = "wasm-bindgen"$/ { getline; gsub(/[^0-9.]/, ""); print; exit }' Cargo.lock)"
# The oldest Node and npm that work: Node 18 crashes on wasm-bindgen's tests, npm 9 cannot read the lock file. Where they
# are older, OWN_NODE and OWN_NPM come from the npm registry.
NODE_VERSION=20
NPM_VERSION=10
OWN_NODE=22.23.3
OWN_NPM=10.9.9
# How long it takes on two cores: Trunk costs 400 seconds of processor time, wasm-bindgen 120. README says the same of all together.
TRUNK_WAIT="3 to 6 minutes"
BINDGEN_WAIT="1 to 3 minutes"
SETUP_WAIT="6 to 10 minutes"
# Lints are errors with Rust versions below this one.
LINTS_TRIED_BELOW=1.97

# cargo, npm and others look there, too. Without HOME, `~` is what the machine's list of users says.
[ -n "${HOME:-}" ] || { unset HOME; HOME=~; export HOME; }

# Shared by all checkouts on a machine, so that a second clone is ready in seconds.
TOOLS="${QUORUMSCOPE_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/quorumscope}"
TRUNK_BIN="$TOOLS/trunk-$TRUNK_VERSION/bin"
BINDGEN_BIN="$TOOLS/wasm-bindgen-$BINDGEN_VERSION/bin"
NODE_BIN="$TOOLS/node-$OWN_NODE/node_modules/.bin"
# The same from nodejs.org, where there is no npm that could fetch it.
NODE_DOWNLOAD="$TOOLS/nodejs.org-$OWN_NODE"
# Holds links to the distribution's cargo and rustc, so that they can come first without all of /usr/bin.
DISTRIBUTION_BIN="$TOOLS/distribution-rust"
SYSTEM_BIN=/usr/bin
# A rustup of our own, for machines on which there is no Rust that would do.
OWN_RUSTUP="$TOOLS/rustup"
RUSTUP_INIT=https://static.rust-lang.org/rustup/rustup-init.sh
WASM_TARGET=wasm32-unknown-unknown

export PATH="$BINDGEN_BIN:$TRUNK_BIN:$PWD/node_modules/.bin:$NODE_BIN:$NODE_DOWNLOAD/bin:$PATH"

# need_tools_folder WHAT — ends here when WHAT has to be installed and the tools folder cannot take it.
need_tools_folder() {
  make_in "$TOOLS" && return 0
  local whose="it is below HOME"
  [ -z "${XDG_CACHE_HOME:-}" ] || whose="XDG_CACHE_HOME says so"
  [ -z "${QUORUMSCOPE_TOOLS:-}" ] || whose="QUORUMSCOPE_TOOLS says so"
  die "$1 has to be installed into the tools folder $TOOLS ($whose), but nothing can be made there: $WHY_NOT." \
    "Make it writable, or name another folder, such as QUORUMSCOPE_TOOLS=$PWD/target/tools."
}

# Where the home folder cannot be written, what cargo, npm and Playwright fetch is kept with the tools. What is there already and complete
# is left to be read.
settle_downloads() {
  if ! make_in "${CARGO_HOME:-$HOME/.cargo}" && ! cargo fetch --locked --offline >/dev/null 2>&1 && make_in "$TOOLS"; then
    export CARGO_HOME="$TOOLS/cargo"
  fi
  if ! make_in "$HOME" && make_in "$TOOLS"; then
    export npm_config_cache="${npm_config_cache:-$TOOLS/npm}" PLAYWRIGHT_BROWSERS_PATH="${PLAYWRIGHT_BROWSERS_PATH:-$TOOLS/playwright}"
  fi
}

# ---- Rust ------------------------------------------------------------------------------------------------------

rustc_version() { "${1:-rustc}" --version 2>/dev/null | awk '{ print $2 }'; }

# found_rust — the version of rustc for a message, or `none`.
found_rust() { local version; version="$(rustc_version)" || true; printf '%s' "${version:-none}"; }

# rust_fits [RUSTC] — is it there and new enough?
rust_fits() { have "${1:-rustc}" && version_at_least "$(rustc_version "${1:-rustc}")" "$RUST_VERSION"; }

# Debian publishes a recent Rust for building browsers, beside its older one: rustc-web and friends.
link_distribution_rust() {
  rust_fits "$SYSTEM_BIN/rustc" && [ -x "$SYSTEM_BIN/cargo" ] || return 1
  local tool missing=''
  for tool in cargo rustc rustdoc rustfmt cargo-fmt cargo-clippy clippy-driver; do
    [ ! -x "$SYSTEM_BIN/$tool" ] || [ -x "$DISTRIBUTION_BIN/$tool" ] || missing="$missing $tool"
  done
  [ -n "$missing" ] || return 0
  make_in "$DISTRIBUTION_BIN" || DISTRIBUTION_BIN="$PWD/target/distribution-rust"
  mkdir -p "$DISTRIBUTION_BIN"
  for tool in $missing; do ln -sf "$SYSTEM_BIN/$tool" "$DISTRIBUTION_BIN/$tool"; done
}

install_distribution_rust() {
  link_distribution_rust || {
    apt_install "Rust $RUST_VERSION or newer" rustc-web cargo-web ca-certificates || return 1
    link_distribution_rust || { tried "the Debian package rustc-web" "its Rust is older than $RUST_VERSION"; return 1; }
  }
}

use_distribution_rust() { install_distribution_rust && export PATH="$DISTRIBUTION_BIN:$PATH"; }

use_own_rustup() {
  [ -x "$OWN_RUSTUP/bin/cargo" ] || return 1
  export RUSTUP_HOME="$OWN_RUSTUP" PATH="$OWN_RUSTUP/bin:$PATH"
}

# Rust's own installer, into our folder: nothing else on the machine changes, and nobody needs to be root.
install_own_rustup() {
  use_own_rustup && rust_fits && return 0
  need_tools_folder "Rust"
  can_fetch || apt_install "fetching Rust" curl ca-certificates || return 1
  mkdir -p "$OWN_RUSTUP"
  attempt "Fetching Rust's installer" fetch "$RUSTUP_INIT" "$OWN_RUSTUP/init.sh" || return 1
  attempt "Installing Rust with rustup (150 MB to fetch)" env RUSTUP_HOME="$OWN_RUSTUP" CARGO_HOME="$OWN_RUSTUP" RUSTUP_INIT_SKIP_PATH_CHECK=yes \
    sh "$OWN_RUSTUP/init.sh" -y --no-modify-path --profile minimal --default-toolchain stable || return 1
  use_own_rustup && rust_fits
}

# rustup's stable toolchain, where another one is the default.
use_stable() {
  have rustup && [ -z "${RUSTUP_TOOLCHAIN:-}" ] && [ "$(RUSTUP_TOOLCHAIN=stable rustc_version)" ] || return 1
  version_at_least "$(RUSTUP_TOOLCHAIN=stable rustc_version)" "$RUST_VERSION" && export RUSTUP_TOOLCHAIN=stable
}

update_rustup() {
  have rustup && attempt "Updating Rust (found: $(found_rust), needed: $RUST_VERSION)" rustup update stable && { rust_fits || use_stable; }
}

# The distribution's Rust first for root, who has it installed at once; others would have to ask for it.
either_rust() {
  if is_root; then use_distribution_rust || install_own_rustup; else install_own_rustup || use_distribution_rust; fi
}

setup_rust() {
  settle_downloads
  # Rust calls the C compiler to link.
  have cc || apt_install "a C compiler, to link" gcc libc6-dev ||
    give_up "there is no C compiler (cc), which Rust calls to link: on Debian the packages gcc and libc6-dev, on macOS 'xcode-select --install'."
  { have cargo && rust_fits; } || { use_own_rustup && rust_fits; } || use_stable || update_rustup || either_rust ||
    give_up "Rust $RUST_VERSION or newer is needed (found: $(found_rust)), and could not be had. https://rustup.rs tells other ways to install it."
  # Ways that failed before one worked are no cause of what may fail later.
  TRIED=''
}

# rust_component CARGO-SUBCOMMAND RUSTUP-COMPONENT DEBIAN-PACKAGE
rust_component() {
  cargo "$1" --version >/dev/null 2>&1 && return 0
  if have rustup && attempt "Installing $2 with rustup" rustup component add "$2" && cargo "$1" --version >/dev/null 2>&1; then return 0; fi
  # The distribution's tool fits only the distribution's compiler, so from here on that one is used.
  if install_distribution_rust && apt_install "cargo $1" "$3" && link_distribution_rust; then
    export PATH="$DISTRIBUTION_BIN:$PATH"
    cargo "$1" --version >/dev/null 2>&1 && return 0
  fi
  give_up "'cargo $1' is missing: rustup's component $2, or the Debian package $3."
}

setup_lints() {
  setup_rust
  rust_component fmt rustfmt rustfmt-web
  rust_component clippy clippy rust-web-clippy
}

# ---- the wasm32 target -----------------------------------------------------------------------------------------
# Two kinds of machine: one where rustup can fetch the compiled standard library for wasm32, and one that reaches
# only package registries, where the distribution's Rust compiles the standard library from its source package.

wasm_target_is_installed() { [ -d "$(rustc --print target-libdir --target $WASM_TARGET 2>/dev/null)" ]; }

wasm_through_rustup() {
  wasm_target_is_installed && return 0
  if have rustup && attempt "Adding Rust's $WASM_TARGET target with rustup" rustup target add $WASM_TARGET && wasm_target_is_installed; then return 0; fi
  # A rustup of our own, unless that is the one that has just failed.
  [ "${RUSTUP_HOME:-}" != "$OWN_RUSTUP" ] && install_own_rustup || return 1
  wasm_target_is_installed || { attempt "Adding $WASM_TARGET with a rustup of our own" rustup target add $WASM_TARGET && wasm_target_is_installed; }
}

distribution_can_build_std() {
  link_distribution_rust && have rust-lld && [ -f "$("$SYSTEM_BIN/rustc" --print sysroot)/lib/rustlib/src/rust/library/std/Cargo.toml" ]
}

wasm_through_distribution() {
  distribution_can_build_std && return 0
  apt_install "compiling for wasm32" rustc-web cargo-web rust-web-src rust-web-llvm || return 1
  # Its linker is only a link, to that of its version of LLVM; the package that has it is of the same name, such as lld-22.
  have rust-lld || apt_install "linking for wasm32" "$(readlink "$SYSTEM_BIN/rust-lld")" || return 1
  distribution_can_build_std
}

# Sets WASM_VIA to `rustup` or `distribution`.
WASM_VIA=''
setup_wasm() {
  [ -z "$WASM_VIA" ] || return 0
  setup_rust
  case "${QUORUMSCOPE_WASM:-}" in
    '')
      # What is already there comes before what would have to be fetched.
      if wasm_target_is_installed; then
        WASM_VIA=rustup
      elif distribution_can_build_std; then
        WASM_VIA=distribution
      elif wasm_through_rustup; then
        WASM_VIA=rustup
      elif say "    rustup cannot provide it here; trying the distribution's Rust instead." && wasm_through_distribution; then
        WASM_VIA=distribution
      else
        give_up "there is no way to compile for $WASM_TARGET here: neither rustup's target of that name nor Debian's packages rustc-web, cargo-web, rust-web-src, rust-web-llvm and lld."
      fi
      ;;
    rustup) wasm_through_rustup || give_up "QUORUMSCOPE_WASM=rustup, but rustup's target $WASM_TARGET could not be had." ;;
    distribution) wasm_through_distribution || give_up "QUORUMSCOPE_WASM=distribution, but Debian's packages rustc-web, cargo-web, rust-web-src, rust-web-llvm and lld could not be had." ;;
    *) misuse "QUORUMSCOPE_WASM is '$QUORUMSCOPE_WASM'; it can be 'rustup' or 'distribution'." ;;
  esac
  TRIED=''
  WASM_VIA="${WASM_VIA:-$QUORUMSCOPE_WASM}"
}

# Compiled for size, LLVM puts next to nothing in line. More makes runs faster and the page larger: with 30 a judged run is half again as fast as with 15 and
# the page 1.4 % larger, with 70 a little faster still and 5 % larger; compiling for speed is twice as fast and 21 % larger.
WASM_RUSTFLAGS="-Cllvm-args=-inline-threshold=30"

# with_wasm COMMAND… — runs it with a cargo that can compile for wasm32. The settings go into the environment of this one command: in
# .cargo/config.toml those for the distribution's Rust would also hit native builds.
with_wasm() {
  if [ "$WASM_VIA" = distribution ]; then
    env PATH="$DISTRIBUTION_BIN:$PATH" RUSTC_BOOTSTRAP=1 CARGO_UNSTABLE_BUILD_STD=std,panic_abort \
      RUSTFLAGS="${RUSTFLAGS:-} $WASM_RUSTFLAGS" "$@"
  else
    env RUSTFLAGS="${RUSTFLAGS:-} $WASM_RUSTFLAGS" "$@"
  fi
}

# has_std_source — whether the compiler that makes the page has the standard library's source beside it.
has_std_source() {
  [ "$WASM_VIA" = distribution ] && return 0
  [ -f "$(rustc --print sysroot)/lib/rustlib/src/rust/library/std/Cargo.toml" ] && return 0
  have rustup && quietly "Adding the source of Rust's standard library" rustup component add rust-src
}

# with_small_wasm COMMAND… — the same for what is published: the standard library is compiled along, for size, and a panic ends the
# program at once instead of carrying its text about. A tenth less to load. Without the source, or with a Rust that knows these switches
# no more, the page is made in the ordinary way, and BUILT_SMALL is empty.
BUILT_SMALL=yes
with_small_wasm() {
  if has_std_source &&
    with_wasm env RUSTC_BOOTSTRAP=1 CARGO_UNSTABLE_BUILD_STD=std,panic_abort CARGO_UNSTABLE_BUILD_STD_FEATURES=optimize_for_size \
      RUSTFLAGS="${RUSTFLAGS:-} $WASM_RUSTFLAGS -Zunstable-options -Cpanic=immediate-abort" CARGO_TARGET_DIR=target/small "$@"; then
    return 0
  fi
  BUILT_SMALL=''
  say "    The small build did not work here; making the ordinary one."
  with_wasm "$@"
}

# ---- Trunk and wasm-bindgen ------------------------------------------------------------------------------------

# is_version TOOL VERSION — is the TOOL on the PATH exactly that version?
is_version() { [ "$("$1" --version 2>/dev/null | awk '{ print $2 }')" = "$2" ]; }

# compile_tool CRATE VERSION FOLDER OPTION… — from crates.io. They run for seconds, and compiling them is most of the first set-up: so without
# optimisation, checks and what only remote machines need. What was compiled before an interruption is not compiled again.
compile_tool() {
  local crate="$1" version="$2" folder="$3"
  shift 3
  env CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_DEV_DEBUG_ASSERTIONS=false CARGO_PROFILE_DEV_OVERFLOW_CHECKS=false CARGO_NET_RETRY=2 \
    CARGO_TARGET_DIR="$TOOLS/compiling/$crate-$version" \
    cargo install "$crate@$version" --locked --no-default-features --debug --root "$folder" "$@" || return 1
  rm -rf "$TOOLS/compiling/$crate-$version"
  rmdir "$TOOLS/compiling" 2>/dev/null || true
}

setup_trunk() {
  is_version trunk $TRUNK_VERSION && return 0
  need_tools_folder "Trunk $TRUNK_VERSION"
  attempt "Compiling Trunk $TRUNK_VERSION, the page's build tool ($TRUNK_WAIT on two free cores, once on this machine)" \
    compile_tool trunk $TRUNK_VERSION "${TRUNK_BIN%/bin}" && is_version trunk $TRUNK_VERSION ||
    give_up "Trunk $TRUNK_VERSION, which builds the page, is missing."
}

setup_bindgen() {
  is_version wasm-bindgen "$BINDGEN_VERSION" && is_version wasm-bindgen-test-runner "$BINDGEN_VERSION" && return 0
  need_tools_folder "wasm-bindgen $BINDGEN_VERSION"
  attempt "Compiling wasm-bindgen $BINDGEN_VERSION ($BINDGEN_WAIT on two free cores, once on this machine)" \
    compile_tool wasm-bindgen-cli "$BINDGEN_VERSION" "${BINDGEN_BIN%/bin}" --bin wasm-bindgen --bin wasm-bindgen-test-runner &&
    is_version wasm-bindgen "$BINDGEN_VERSION" ||
    give_up "wasm-bindgen $BINDGEN_VERSION, which joins the page's WebAssembly with JavaScript, is missing."
}

# The command that divides the page's program into chunks; see scripts/split.mjs. It does not tell its version, so its folder does.
SPLIT_VERSION=0.2.4
setup_split() {
  local folder="$TOOLS/wasm-split-$SPLIT_VERSION"
  export PATH="$folder/bin:$PATH"
  [ -x "$folder/bin/wasm-split-cli" ] && return 0
  need_tools_folder "wasm-split $SPLIT_VERSION"
  attempt "Compiling wasm-split $SPLIT_VERSION (1 to 2 minutes on two free cores, once on this machine)" \
    compile_tool wasm_split_cli_support "$SPLIT_VERSION" "$folder" --features build-binary &&
    [ -x "$folder/bin/wasm-split-cli" ] ||
    give_up "wasm-split $SPLIT_VERSION, which divides the page's program into chunks, is missing."
}

# ---- Node, npm packages, a browser -----------------------------------------------------------------------------

node_fits() { have node && version_at_least "$(node --version 2>/dev/null | tr -d v)" $NODE_VERSION; }
npm_fits() { have npm && version_at_least "$(npm --version 2>/dev/null)" $NPM_VERSION; }

# npm gives a registry that does not answer five minutes, three times, and a proxy that is not there about as long. Whoever waits wants to
# know earlier.
npm_soon() {
  local proxy
  if [ -z "${no_proxy:-}${NO_PROXY:-}" ] && proxy="$(dead_proxy)"; then
    echo "could not connect to the proxy ${proxy#*=}"
    return 1
  fi
  npm --fetch-retries=2 --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=10000 --fetch-timeout=60000 "$@"
}

# node_platform — as nodejs.org and the npm registry call it.
node_platform() {
  case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) echo linux-x64 ;;
    Linux-aarch64) echo linux-arm64 ;;
    Darwin-x86_64) echo darwin-x64 ;;
    Darwin-arm64) echo darwin-arm64 ;;
    *) return 1 ;;
  esac
}

# Any npm, however old, can fetch a newer Node and npm: both are packages too.
node_from_npm() {
  local platform
  platform="$(node_platform)" && [ "${platform%%-*}" = linux ] && have npm || return 1
  need_tools_folder "Node $OWN_NODE"
  attempt "Installing Node $OWN_NODE and npm $OWN_NPM from the npm registry" npm_soon install --no-audit --no-fund \
    --prefix "${NODE_BIN%/node_modules/.bin}" "node-$platform@$OWN_NODE" "npm@$OWN_NPM"
}

unpack_node() {
  local name="node-v$OWN_NODE-$1.tar.gz" from="https://nodejs.org/dist/v$OWN_NODE" folder="$NODE_DOWNLOAD.part"
  rm -rf "$folder" && mkdir -p "$folder" && fetch "$from/$name" "$folder/$name" && fetch "$from/SHASUMS256.txt" "$folder/sums" || return 1
  if [ "$(sha256 "$folder/$name")" != "$(awk -v name="$name" '$2 == name { print $1 }' "$folder/sums")" ]; then
    echo "error: $from/$name came broken: its SHA-256 is not that of SHASUMS256.txt"
    return 1
  fi
  tar -xzf "$folder/$name" --strip-components=1 -C "$folder" && rm "$folder/$name" && mv "$folder" "$NODE_DOWNLOAD"
}

node_from_its_site() {
  local platform
  platform="$(node_platform)" && can_fetch || return 1
  need_tools_folder "Node $OWN_NODE"
  attempt "Installing Node $OWN_NODE from nodejs.org" unpack_node "$platform"
}

node_from_distribution() {
  apt_install "Node $NODE_VERSION or newer" nodejs npm || return 1
  { node_fits && npm_fits; } || node_from_npm
}

# newer_node FITS — until FITS says so: what asks for no root first, but for root, who has packages at once.
newer_node() {
  local way ways="node_from_npm node_from_its_site node_from_distribution"
  if is_root; then ways="node_from_npm node_from_distribution node_from_its_site"; fi
  for way in $ways; do
    $way && "$1" && return 0
  done
  "$1"
}

setup_node() {
  settle_downloads
  node_fits || newer_node node_fits ||
    give_up "Node $NODE_VERSION or newer is needed (found: $(node --version 2>/dev/null || echo none)), and could not be had. https://nodejs.org has it."
}

# wasm-opt and the browser tests' libraries, from the lock file; again whenever that file changes.
setup_npm() {
  setup_node
  local stamp="node_modules/.installed-from" lock
  lock="$(cksum <package-lock.json)"
  [ "$(cat "$stamp" 2>/dev/null)" = "$lock" ] && return 0
  npm_fits || newer_node npm_fits ||
    give_up "npm $NPM_VERSION or newer is needed (found: $(npm --version 2>/dev/null || echo none)), and could not be had. It comes with Node: https://nodejs.org."
  TRIED=''
  PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 attempt "Installing npm packages from package-lock.json (under a minute)" npm_soon ci --no-audit --no-fund ||
    give_up "the npm packages that package-lock.json names could not be installed."
  printf '%s\n' "$lock" >"$stamp"
}

# starts BROWSER — a browser must tell its version. Ubuntu's chromium-browser may be a stub that only says "install the snap".
starts() { have "$1" && "$1" --version >/dev/null 2>&1; }

playwrights_browser() { node -p 'require("@playwright/test").chromium.executablePath()' 2>/dev/null || true; }

find_browser() {
  local candidate
  for candidate in "${CHROME_PATH:-}" chromium chromium-browser google-chrome google-chrome-stable \
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" "/Applications/Chromium.app/Contents/MacOS/Chromium" \
    "$(playwrights_browser)"; do
    if [ -n "$candidate" ] && starts "$candidate"; then
      command -v "$candidate"
      return 0
    fi
  done
  return 1
}

# Playwright's build of Chromium goes below the home folder; only the libraries that it uses would need root.
browser_from_playwright() {
  local missing browser
  if is_root && have apt-get; then
    LET_FINISH=yes
    attempt "Downloading Playwright's Chromium, and installing its libraries" playwright install --with-deps chromium || { LET_FINISH=''; return 1; }
    LET_FINISH=''
  else
    attempt "Downloading Playwright's Chromium" playwright install chromium || return 1
  fi
  browser="$(playwrights_browser)"
  starts "$browser" && return 0
  missing="$(ldd "$browser" 2>/dev/null | awk '/not found/ { printf " %s", $1 }')"
  tried "Playwright's Chromium" "it is there ($browser), but does not start${missing:+, for lack of the libraries$missing}; 'playwright install-deps chromium' as root installs those it needs"
  return 1
}

browser_from_distribution() { apt_install "the browser tests" chromium; }

# Exports CHROME_PATH, which the browser tests and Lighthouse use.
setup_browser() {
  setup_npm
  [ -z "${CHROME_PATH:-}" ] || starts "$CHROME_PATH" ||
    misuse "CHROME_PATH is '$CHROME_PATH', which does not start as a browser ('--version' fails). Correct it, or unset it to have one found."
  if ! CHROME_PATH="$(find_browser)"; then
    if is_root; then browser_from_distribution || browser_from_playwright; else browser_from_playwright || browser_from_distribution; fi || true
    CHROME_PATH="$(find_browser)" || give_up "there is no Chromium or Chrome for the browser tests, and none could be installed. Install one, or set CHROME_PATH to it."
  fi
  TRIED=''
  export CHROME_PATH
}

# Firefox and WebKit, for the walks: as Debian has them.
has_firefox() {
  local candidate
  for candidate in "${FIREFOX_PATH:-}" firefox-esr firefox; do
    if [ -n "$candidate" ] && starts "$candidate"; then
      FIREFOX_PATH="$(command -v "$candidate")"
      export FIREFOX_PATH
      return 0
    fi
  done
  return 1
}
install_firefox() { apt_install "the walk in Firefox" firefox-esr; }
has_webkit() { have WebKitWebDriver && have Xvfb; }
install_webkit() { apt_install "the walk in WebKit" webkit2gtk-driver xvfb; }

# ---- what each kind of work needs ------------------------------------------------------------------------------

setup_page() {
  setup_wasm
  setup_npm
  setup_trunk
  setup_bindgen
  setup_split
}

# Says at the start of a first run that it will take a while; silent afterwards.
announce_first_run() {
  is_version trunk $TRUNK_VERSION && is_version wasm-bindgen "$BINDGEN_VERSION" && return 0
  say "First run on this machine: setting up the tools takes $SETUP_WAIT on two free cores, longer beside other work. They go to $TOOLS"
  say "and stay there, so that later runs and other checkouts start at once."
}
