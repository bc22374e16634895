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
# Lints are errors with Rust versions below this one.
LINTS_TRIED_BELOW=1.97

# Shared by all checkouts on a machine, so that a second clone is ready in seconds.
TOOLS="${QUORUMSCOPE_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/quorumscope}"
TRUNK_BIN="$TOOLS/trunk-$TRUNK_VERSION/bin"
BINDGEN_BIN="$TOOLS/wasm-bindgen-$BINDGEN_VERSION/bin"
NODE_BIN="$TOOLS/node-$OWN_NODE/node_modules/.bin"
# Holds links to the distribution's cargo and rustc, so that they can come first without all of /usr/bin.
DISTRIBUTION_BIN="$TOOLS/distribution-rust"
# A rustup of our own, for machines on which there is no Rust that would do.
OWN_RUSTUP="$TOOLS/rustup"
RUSTUP_INIT=https://static.rust-lang.org/rustup/rustup-init.sh
WASM_TARGET=wasm32-unknown-unknown

export PATH="$BINDGEN_BIN:$TRUNK_BIN:$PWD/node_modules/.bin:$NODE_BIN:$PATH"

# ---- Rust ------------------------------------------------------------------------------------------------------

rustc_version() { "${1:-rustc}" --version 2>/dev/null | awk '{ print $2 }'; }

# rust_fits [RUSTC] — is it there and new enough?
rust_fits() { have "${1:-rustc}" && version_at_least "$(rustc_version "${1:-rustc}")" "$RUST_VERSION"; }

# Debian publishes a recent Rust for building browsers, beside its older one: rustc-web and friends.
link_distribution_rust() {
  rust_fits /usr/bin/rustc && [ -x /usr/bin/cargo ] || return 1
  mkdir -p "$DISTRIBUTION_BIN"
  local tool
  for tool in cargo rustc rustdoc rustfmt cargo-fmt cargo-clippy clippy-driver; do
    [ ! -x "/usr/bin/$tool" ] || ln -sf "/usr/bin/$tool" "$DISTRIBUTION_BIN/$tool"
  done
}

install_distribution_rust() {
  link_distribution_rust ||
    { apt_install "Rust $RUST_VERSION or newer" rustc-web cargo-web ca-certificates && link_distribution_rust; }
}

use_own_rustup() {
  [ -x "$OWN_RUSTUP/bin/cargo" ] || return 1
  export RUSTUP_HOME="$OWN_RUSTUP" PATH="$OWN_RUSTUP/bin:$PATH"
}

# Rust's own installer, into our folder: nothing else on the machine changes.
install_own_rustup() {
  use_own_rustup && rust_fits && return 0
  have curl || apt_install "fetching Rust" curl ca-certificates || return 1
  mkdir -p "$OWN_RUSTUP"
  quietly "Fetching Rust's installer" curl --proto '=https' -sSf -o "$OWN_RUSTUP/init.sh" "$RUSTUP_INIT" || return 1
  quietly "Installing Rust (150 MB to fetch)" env RUSTUP_HOME="$OWN_RUSTUP" CARGO_HOME="$OWN_RUSTUP" \
    sh "$OWN_RUSTUP/init.sh" -y --no-modify-path --profile minimal --default-toolchain stable || return 1
  use_own_rustup && rust_fits
}

setup_rust() {
  # Rust calls the C compiler to link.
  have cc || apt_install "a C compiler, to link" gcc libc6-dev ||
    die "no C compiler (cc). Install one: on Debian 'apt-get install gcc libc6-dev', on macOS 'xcode-select --install'."
  if ! { have cargo && rust_fits; }; then
    if use_own_rustup && rust_fits; then
      :
    elif have rustup && quietly "Updating Rust (found $(rustc_version || echo none), need $RUST_VERSION)" rustup update stable && rust_fits; then
      :
    elif install_distribution_rust; then
      export PATH="$DISTRIBUTION_BIN:$PATH"
    elif install_own_rustup; then
      :
    else
      die "Rust $RUST_VERSION or newer is needed (found: $(rustc_version || true)). It could not be had from the distribution or from static.rust-lang.org; get it from https://rustup.rs, then run this again."
    fi
  fi
}

# rust_component CARGO-SUBCOMMAND RUSTUP-COMPONENT DEBIAN-PACKAGE
rust_component() {
  cargo "$1" --version >/dev/null 2>&1 && return 0
  if have rustup && quietly "Installing $2" rustup component add "$2" && cargo "$1" --version >/dev/null 2>&1; then return 0; fi
  # The distribution's tool fits only the distribution's compiler, so from here on that one is used.
  if install_distribution_rust && apt_install "cargo $1" "$3" && link_distribution_rust; then
    export PATH="$DISTRIBUTION_BIN:$PATH"
    cargo "$1" --version >/dev/null 2>&1 && return 0
  fi
  die "'cargo $1' is missing and could be installed neither with rustup nor as the Debian package $3."
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
  have rustup && quietly "Adding Rust's $WASM_TARGET target" rustup target add $WASM_TARGET && wasm_target_is_installed
}

distribution_can_build_std() {
  link_distribution_rust && have rust-lld && [ -f "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust/library/std/Cargo.toml" ]
}

wasm_through_distribution() {
  distribution_can_build_std && return 0
  apt_install "compiling for wasm32" rustc-web cargo-web rust-web-src rust-web-llvm || return 1
  # Its linker is only a link, to that of its version of LLVM; the package that has it is of the same name, such as lld-22.
  have rust-lld || apt_install "linking for wasm32" "$(readlink /usr/bin/rust-lld)" || return 1
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
        die "no way to compile for $WASM_TARGET: 'rustup target add $WASM_TARGET' failed, and so did installing the Debian packages rustc-web cargo-web rust-web-src rust-web-llvm lld."
      fi
      ;;
    rustup) wasm_through_rustup || die "QUORUMSCOPE_WASM=rustup, but 'rustup target add $WASM_TARGET' failed." ;;
    distribution) wasm_through_distribution || die "QUORUMSCOPE_WASM=distribution, but the packages rustc-web cargo-web rust-web-src rust-web-llvm lld could not be installed." ;;
    *) die "QUORUMSCOPE_WASM is '$QUORUMSCOPE_WASM'; it can be 'rustup' or 'distribution'." ;;
  esac
  WASM_VIA="${WASM_VIA:-$QUORUMSCOPE_WASM}"
}

# with_wasm COMMAND… — runs it with a cargo that can compile for wasm32. The settings for the distribution's Rust go
# into the environment of this one command: in .cargo/config.toml they would also hit native builds.
with_wasm() {
  if [ "$WASM_VIA" = distribution ]; then
    env PATH="$DISTRIBUTION_BIN:$PATH" RUSTC_BOOTSTRAP=1 CARGO_UNSTABLE_BUILD_STD=std,panic_abort "$@"
  else
    "$@"
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
# no more, the page is made in the ordinary way.
with_small_wasm() {
  if has_std_source &&
    with_wasm env RUSTC_BOOTSTRAP=1 CARGO_UNSTABLE_BUILD_STD=std,panic_abort CARGO_UNSTABLE_BUILD_STD_FEATURES=optimize_for_size \
      RUSTFLAGS="${RUSTFLAGS:-} -Zunstable-options -Cpanic=immediate-abort" CARGO_TARGET_DIR=target/small "$@"; then
    return 0
  fi
  say "    The small build did not work here; making the ordinary one."
  with_wasm "$@"
}

# ---- Trunk and wasm-bindgen ------------------------------------------------------------------------------------

# is_version TOOL VERSION — is the TOOL on the PATH exactly that version?
is_version() { [ "$("$1" --version 2>/dev/null | awk '{ print $2 }')" = "$2" ]; }

# Compiled without optimisation on purpose: they run for seconds, and compiling them is most of the first set-up.
setup_trunk() {
  is_version trunk $TRUNK_VERSION && return 0
  quietly "Compiling Trunk $TRUNK_VERSION, the page's build tool (2 to 6 minutes, once on this machine)" \
    env CARGO_PROFILE_DEV_DEBUG=0 \
    cargo install trunk@$TRUNK_VERSION --locked --no-default-features --debug --root "${TRUNK_BIN%/bin}" &&
    is_version trunk $TRUNK_VERSION || die "Trunk $TRUNK_VERSION could not be installed."
}

setup_bindgen() {
  is_version wasm-bindgen "$BINDGEN_VERSION" && is_version wasm-bindgen-test-runner "$BINDGEN_VERSION" && return 0
  quietly "Compiling wasm-bindgen $BINDGEN_VERSION (2 to 5 minutes, once on this machine)" \
    env CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_LTO=off \
    cargo install "wasm-bindgen-cli@$BINDGEN_VERSION" --locked --root "${BINDGEN_BIN%/bin}" \
    --bin wasm-bindgen --bin wasm-bindgen-test-runner &&
    is_version wasm-bindgen "$BINDGEN_VERSION" || die "wasm-bindgen $BINDGEN_VERSION could not be installed."
}

# The command that divides the page's program into chunks; see scripts/split.mjs. It does not tell its version, so its folder does.
SPLIT_VERSION=0.2.4
setup_split() {
  local folder="$TOOLS/wasm-split-$SPLIT_VERSION"
  export PATH="$folder/bin:$PATH"
  [ -x "$folder/bin/wasm-split-cli" ] && return 0
  quietly "Compiling wasm-split $SPLIT_VERSION (1 to 2 minutes, once on this machine)" \
    env CARGO_PROFILE_DEV_DEBUG=0 \
    cargo install "wasm_split_cli_support@$SPLIT_VERSION" --locked --features build-binary --debug --root "$folder" &&
    [ -x "$folder/bin/wasm-split-cli" ] || die "wasm-split $SPLIT_VERSION could not be installed."
}

# ---- Node, npm packages, a browser -----------------------------------------------------------------------------

node_fits() { have node && version_at_least "$(node --version | tr -d v)" $NODE_VERSION; }
npm_fits() { have npm && version_at_least "$(npm --version 2>/dev/null)" $NPM_VERSION; }

# Any npm, however old, can fetch a newer Node and npm: both are packages too.
install_own_node() {
  local platform
  case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) platform=linux-x64 ;;
    Linux-aarch64) platform=linux-arm64 ;;
    *) return 1 ;;
  esac
  have npm || apt_install "Node $NODE_VERSION or newer" nodejs npm || return 1
  quietly "Installing Node $OWN_NODE and npm $OWN_NPM" npm install --no-audit --no-fund \
    --prefix "${NODE_BIN%/node_modules/.bin}" "node-$platform@$OWN_NODE" "npm@$OWN_NPM"
}

setup_node() {
  node_fits || install_own_node || true
  node_fits || die "Node $NODE_VERSION or newer is needed (found: $(node --version 2>/dev/null || echo none)). Get it from https://nodejs.org, then run this again."
}

# wasm-opt and the browser tests' libraries, from the lock file; again whenever that file changes.
setup_npm() {
  setup_node
  local stamp="node_modules/.installed-from" lock
  lock="$(cksum <package-lock.json)"
  [ "$(cat "$stamp" 2>/dev/null)" = "$lock" ] && return 0
  npm_fits || install_own_node || true
  npm_fits || die "npm $NPM_VERSION or newer is needed (found: $(npm --version 2>/dev/null || echo none)). Install it, then run this again."
  quietly "Installing npm packages from package-lock.json (under a minute)" \
    env PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-audit --no-fund || die "the npm packages could not be installed."
  printf '%s\n' "$lock" >"$stamp"
}

find_browser() {
  local candidate
  for candidate in "${CHROME_PATH:-}" chromium chromium-browser google-chrome google-chrome-stable \
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" "/Applications/Chromium.app/Contents/MacOS/Chromium" \
    "$(node -p 'require("@playwright/test").chromium.executablePath()' 2>/dev/null || true)"; do
    # Ubuntu's chromium-browser may be a stub that only says "install the snap": a browser must tell its version.
    if [ -n "$candidate" ] && have "$candidate" && "$candidate" --version >/dev/null 2>&1; then
      command -v "$candidate"
      return 0
    fi
  done
  return 1
}

# Exports CHROME_PATH, which the browser tests and Lighthouse use.
setup_browser() {
  setup_npm
  if ! CHROME_PATH="$(find_browser)"; then
    apt_install "the browser tests" chromium || true
    CHROME_PATH="$(find_browser)" || {
      quietly "Downloading Playwright's Chromium" playwright install --with-deps chromium || true
      CHROME_PATH="$(find_browser)" ||
        die "no Chromium or Chrome found, and none could be installed. Install one, or set CHROME_PATH to it."
    }
  fi
  export CHROME_PATH
}

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
  say "First run on this machine: setting up the tools takes 5 to 12 minutes. They go to $TOOLS"
  say "and stay there, so that later runs and other checkouts start at once."
}
