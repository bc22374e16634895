# The subcommands of ./dev, one function each: task_NAME.

task_setup() {
  announce_first_run
  setup_lints
  setup_page
  setup_browser
  step "Ready: $(cargo --version), $WASM_TARGET through $WASM_VIA, trunk $TRUNK_VERSION, wasm-bindgen $BINDGEN_VERSION, node $(node --version), $("$CHROME_PATH" --version 2>/dev/null)"
}

task_build() {
  announce_first_run
  setup_page
  local from
  from="$(page_sources)"
  if [ "$(cat "$DIST_STAMP" 2>/dev/null)" = "$from $(folder_hash dist)" ]; then
    step "dist/ is what these sources and tools make: nothing to build (delete dist/ to have it built anew)"
    return 0
  fi
  rm -f "$DIST_STAMP"
  step "Building the page into dist/"
  with_small_wasm trunk build --release
  node scripts/offline.mjs dist
  # After a build in the ordinary way in place of the small one, the next build tries the small one again.
  [ -n "$BUILT_SMALL" ] || return 0
  mkdir -p "${DIST_STAMP%/*}"
  printf '%s %s\n' "$from" "$(folder_hash dist)" >"$DIST_STAMP"
}

# What dist/ was made from, and what was made: written when a build has come to its end, so that one that changes nothing is left out.
DIST_STAMP=target/dist.stamp

# folder_hash PATH… — of all files there, their names and what is in them; `none` where there is no such file.
folder_hash() {
  local files
  # shellcheck disable=SC2012 # names are sorted as bytes, whatever the language of the machine
  files="$(find "$@" -type f -exec "${SHA256[@]}" {} + 2>/dev/null | LC_ALL=C sort -k 2)" || true
  if [ -n "$files" ]; then printf '%s' "$files" | sha256; else printf 'none'; fi
}

# page_sources — a hash of all that the page depends on: sources, tools, and settings of Cargo, rustc and Trunk.
page_sources() {
  {
    folder_hash Cargo.toml Cargo.lock Trunk.toml index.html build.rs rust-toolchain rust-toolchain.toml .cargo src www scenarios lessons data scripts \
      package-lock.json THIRD-PARTY.md LICENSE-MIT LICENSE-APACHE
    with_wasm rustc --version --verbose
    trunk --version
    wasm-bindgen --version
    node --version
    cat node_modules/.installed-from 2>/dev/null || true
    echo "$WASM_VIA"
    env | grep -E '^(RUSTFLAGS|RUSTC_|CARGO_(BUILD|PROFILE|ENCODED|TARGET|UNSTABLE)|TRUNK_)' | LC_ALL=C sort || true
  } | sha256
}

task_single() {
  task_build
  step "Packing the page into one file"
  with_small_wasm node scripts/single.mjs dist dist-single
  [ "${1:-}" = --test ] || return 0
  setup_browser
  node --test --test-reporter=spec tests/browser/single.test.mjs
}

task_open() {
  task_build
  # --help and errors in the arguments come from the server itself.
  exec node scripts/serve.mjs --dir dist "$@"
}

task_watch() {
  announce_first_run
  setup_page
  # Away from dist/, so that what is tested and published there is always a release build.
  mkdir -p target/watch
  with_wasm trunk serve --dist target/watch "$@"
}

task_report() {
  setup_node
  local within=0
  node scripts/size-report.mjs dist || within=$?
  step "Speed"
  cat "$FRAMES" 2>/dev/null || say "frames: not measured yet; ./dev browser does"
  report_speed
  return $within
}

# Where the browser tests write what they measured.
FRAMES=test-results/frames.txt

# How fast the simulator is in WebAssembly under Node, compiled as in the page. It passes or fails nobody.
report_speed() {
  setup_wasm
  setup_bindgen
  CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER=wasm-bindgen-test-runner with_wasm cargo test --locked --target $WASM_TARGET \
    --no-default-features --test speed --profile wasm-release -- --nocapture 2>&1 | grep '^speed: ' || say "speed: could not be measured"
}

task_check() {
  setup_lints
  setup_npm
  step "Formatting"
  cargo fmt --check
  # A Rust newer than any of us has tried may know new lints: those are shown, but fail nobody's fresh clone.
  local lints="-D warnings"
  version_at_least "$(rustc_version)" $LINTS_TRIED_BELOW && lints="-W warnings"
  step "Lints: the library and the command line"
  # shellcheck disable=SC2086 # two words, split on purpose
  cargo clippy --locked --all-targets -- $lints
  step "Lints: the page"
  # shellcheck disable=SC2086
  cargo clippy --locked --no-default-features --features web --bin quorumscope-app -- $lints
  # shellcheck disable=SC2086
  cargo clippy --locked --no-default-features --features web --bin quorumscope-app --profile test -- $lints
  step "Lints: the program that searches"
  # shellcheck disable=SC2086
  cargo clippy --locked --no-default-features --features searcher --bin quorumscope-search -- $lints
  step "Third-party notice"
  node scripts/third-party.mjs --check
  check_dependencies
  step "These scripts"
  node --test --test-reporter=spec tests/scripts/*.test.mjs
}

# What deny.toml says, where cargo-deny is there: to compile it takes a fresh machine longer than everything else here.
check_dependencies() {
  step "Dependencies: licences, sources, known advisories"
  if ! have cargo-deny; then
    say "cargo-deny is not installed, so this is left out (cargo install --locked cargo-deny)"
    return 0
  fi
  cargo deny --locked check licenses bans sources
  if cargo deny fetch db >/dev/null 2>&1; then
    cargo deny --locked check advisories
  else
    say "the list of known advisories could not be fetched, so it is left out"
  fi
}

task_notices() {
  setup_rust
  setup_node
  node scripts/third-party.mjs
}

task_browser() {
  setup_browser
  [ -f dist/index.html ] || die "there is no dist/ to test. Run ./dev build first."
  if [ $# -gt 0 ]; then
    playwright test "$@"
    return
  fi
  # Two at a time, since most wait for what they watch; those that look at the clock, then, with the machine for themselves.
  local failed=0
  playwright test --grep-invert @timed --workers 2 || failed=$?
  step "Tests that look at the clock"
  playwright test --grep @timed --output test-results/timed || failed=$?
  return $failed
}

# The walk through the page in browsers other than that of all other tests. Named ones are installed if they are missing; one that cannot be had is
# left out with a word, and so is one that is not there with --there.
task_walk() {
  local browser browsers='' there='' walked=''
  for browser in "$@"; do
    case "$browser" in
      firefox | webkit) browsers="$browsers $browser" ;;
      --there) there=yes ;;
      *) misuse "there is no walk in '$browser'; there is one in firefox and one in webkit." ;;
    esac
  done
  setup_npm
  [ -f dist/index.html ] || die "there is no dist/ to walk through. Run ./dev build first."
  for browser in ${browsers:-firefox webkit}; do
    if "has_$browser" || { [ -z "$there" ] && "install_$browser" && "has_$browser"; }; then
      step "A walk in $browser"
      node --test --test-reporter=spec "tests/browser/walk/$browser.test.mjs"
      walked=yes
    else
      say "    $browser is not here, so the walk in it is left out${TRIED:+:}"
      printf '%s' "$TRIED"
    fi
  done
  [ -n "$walked" ] || say "    No walk was done. ./dev walk installs what is missing, where it can."
}

# The page in course pages made by other people's tools, which come from npm and PyPI; no part of ./dev test.
task_hosts() {
  setup_browser
  node scripts/hosts.mjs "$@"
}

# ---- every test ------------------------------------------------------------------------------------------------

stage_check() { task_check; }

stage_native() {
  setup_rust
  step "Debug build"
  cargo test --locked
  step "The page's own parts"
  cargo test --locked --no-default-features --features web --bin quorumscope-app
  step "Release build: the same runs"
  cargo test --locked --release --test parity
}

# The same simulator in WebAssembly, under Node: it must behave as it does natively.
stage_wasm() {
  setup_wasm
  setup_node
  setup_bindgen
  export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER=wasm-bindgen-test-runner
  step "Debug build"
  with_wasm cargo test --locked --target $WASM_TARGET --no-default-features --test parity
  step "Release build, as in the page"
  with_wasm cargo test --locked --target $WASM_TARGET --no-default-features --test parity --profile wasm-release
  step "How fast it is"
  report_speed
}

# In the ordinary build, where the standard library could not be compiled for size, the first picture is above its budget; it must not grow
# there either.
FIRST_PICTURE_CEILING_ORDINARY=215000

stage_page() {
  task_build
  if has_std_source; then
    node scripts/size-report.mjs dist
  else
    node scripts/size-report.mjs dist --ceiling $FIRST_PICTURE_CEILING_ORDINARY
  fi
}

# Other browsers only where they are already there: a fresh machine would need minutes to fetch them.
stage_browser() {
  task_browser
  task_walk --there
}

task_test() {
  local stages="${*:-check native wasm page browser}" stage started status
  local passed=0 failed=0 summary=''
  for stage in $stages; do
    case "$stage" in
      check | native | wasm | page | browser) ;;
      *) misuse "there is no test stage '$stage'; the stages are: check native wasm page browser." ;;
    esac
  done
  announce_first_run
  for stage in $stages; do
    step "Stage: $stage"
    started=$SECONDS
    # In a subshell that stops at the first error; not in an `if`, where bash would ignore `set -e` inside.
    set +e
    (
      set -e
      "stage_$stage"
    )
    status=$?
    set -e
    if [ $status -eq 0 ]; then
      passed=$((passed + 1))
      summary="$summary  ${GREEN}passed${PLAIN}  $stage ($(duration $((SECONDS - started))))"$'\n'
      step "Stage $stage ${GREEN}passed${PLAIN} in $(duration $((SECONDS - started)))"
    else
      failed=$((failed + 1))
      summary="$summary  ${RED}FAILED${PLAIN}  $stage ($(duration $((SECONDS - started))), exit code $status)"$'\n'
      step "Stage $stage ${RED}FAILED${PLAIN} after $(duration $((SECONDS - started)))"
    fi
  done
  printf '\n%s\nstages: %d passed, %d failed\n' "$summary" "$passed" "$failed"
  [ $failed -eq 0 ]
}
