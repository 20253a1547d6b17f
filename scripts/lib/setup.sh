# shellcheck shell=bash
# What a fresh Debian machine lacks, for scripts/demo and scripts/test. Sourced, never run; leaves the caller in the repository.
# Installs only what is missing and says so; what cannot be had ends in one sentence that tells what to do.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root" || exit 1

# One target folder, whoever set it: built programs, logs and tools lie beneath it.
target=${CARGO_TARGET_DIR:-$root/target}
tools=$target/tools

heading() { printf '\n==> %s\n' "$*"; }

die() {
    printf '\n%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

as_root() {
    if ((EUID == 0)); then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        die "'$*' needs root, and there is no sudo here: run that line as root, then run this again."
    fi
}

# ensure_commands COMMAND:PACKAGE... installs the Debian packages of the commands that are missing.
ensure_commands() {
    local pair packages=()
    for pair in "$@"; do
        command -v "${pair%%:*}" >/dev/null 2>&1 || packages+=("${pair#*:}")
    done
    ensure_packages "${packages[@]}"
}

# ensure_packages PACKAGE... installs Debian packages that were found missing.
ensure_packages() {
    local packages=("$@")
    ((${#packages[@]} > 0)) || return 0
    command -v apt-get >/dev/null 2>&1 \
        || die "missing: ${packages[*]}. There is no apt-get here; install them the way this system does, then run this again."
    heading "installing ${packages[*]} (Debian packages)"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}"
}

rust_have() { cargo --version 2>/dev/null | sed -n 's/^cargo \([0-9.]*\).*/\1/p'; }

# at_least WANTED HAVE
at_least() { [[ -n $2 && $(printf '%s\n' "$1" "$2" | sort -V | head -n 1) == "$1" ]]; }

# The version is the manifest's. There is no rust-toolchain.toml: a pin makes rustup download where a newer Rust is already there.
# Debian 12 has Rust 1.63 and no rustup; Debian 13 and newer have the rustup package.
ensure_rust() {
    local wanted how
    wanted=$(sed -n 's/^rust-version *= *"\(.*\)"/\1/p' "$root/Cargo.toml")
    if ! command -v cargo >/dev/null 2>&1 && [[ -x ${CARGO_HOME:-$HOME/.cargo}/bin/cargo ]]; then
        PATH=${CARGO_HOME:-$HOME/.cargo}/bin:$PATH
    fi
    if at_least "$wanted" "$(rust_have)"; then return 0; fi

    how="Rust $wanted or newer is needed and could not be installed. Install it with rustup as rust-lang.org describes, then run this again."
    if ! command -v rustup >/dev/null 2>&1; then
        command -v apt-get >/dev/null 2>&1 || die "$how"
        as_root apt-get update -qq
        apt-cache policy rustup 2>/dev/null | grep -q 'Candidate: [0-9]' || die "$how"
        ensure_commands rustup:rustup
    fi
    heading "installing Rust $wanted"
    rustup toolchain install "$wanted" --profile minimal --component clippy,rustfmt || die "$how"
    export RUSTUP_TOOLCHAIN=$wanted
    hash -r
    at_least "$wanted" "$(rust_have)" || die "$how"
}

# What every build needs: Rust, and a C compiler for SQLite and ring.
ensure_build_tools() {
    ensure_commands cc:build-essential pkg-config:pkg-config
    ensure_rust
}

# A browser for the pages, and the rules by which accessibility is judged, which come from npm.
ensure_browser() {
    ensure_commands chromium:chromium chromedriver:chromium-driver npm:npm
    if ! cmp -s tests/browser/package-lock.json tests/browser/node_modules/.lock-of-groschen; then
        npm ci --prefix tests/browser --no-audit --no-fund --loglevel=error </dev/null
        cp tests/browser/package-lock.json tests/browser/node_modules/.lock-of-groschen
    fi
}

# Hardware readers: the PC/SC service with a virtual reader, libnfc, their headers, and libclang, by which the bindings to libnfc are made.
# A desk needs libpcsclite-dev to build and pcscd to run; a server none of it.
ensure_readers() {
    local packages=()
    PATH=$PATH:/usr/sbin command -v pcscd >/dev/null 2>&1 || packages+=(pcscd)
    [[ -e /etc/reader.conf.d/vpcd ]] || packages+=(vsmartcard-vpcd)
    pkg-config --exists libpcsclite || packages+=(libpcsclite-dev)
    pkg-config --exists libnfc || packages+=(libnfc-dev)
    compgen -G '/usr/lib/llvm-*/lib/libclang[.-][0-9s]*' >/dev/null || packages+=(libclang-dev)
    ensure_packages "${packages[@]}"
}

# What the tests need on top of it.
ensure_test_tools() {
    ensure_commands git:git shellcheck:shellcheck pdftotext:poppler-utils
    ensure_browser
    ensure_readers
    if cargo clippy --version >/dev/null 2>&1 && cargo fmt --version >/dev/null 2>&1; then return 0; fi
    heading "installing clippy and rustfmt"
    { command -v rustup >/dev/null 2>&1 && rustup component add clippy rustfmt; } \
        || die "clippy and rustfmt are missing and rustup could not add them: install both, then run this again."
}

# Two outside judges of fiscal exports (DSFinV-K) and a reader of spreadsheets, from PyPI at the versions that were looked at: they are run, never linked or handed out. One is
# proprietary and free for files that are named to it; it wants node, which the browser's tests bring. Their tests say it loudly when they are not here.
ensure_fiscal_judges() {
    local folder=$tools/fiscal-judges versions='dsfinvk==2.4.0 pytz==2026.6 rulestamp-dsfinv-k-export-lint==1.0.4 openpyxl==3.1.5 et-xmlfile==2.0.0'
    if [[ $(cat "$folder/versions" 2>/dev/null) == "$versions" ]]; then return 0; fi
    # What cannot be installed ends only itself.
    python3 -c 'import ensurepip, venv' 2>/dev/null || (ensure_packages python3-venv) || true
    heading "installing judges of fiscal exports into $folder (PyPI)"
    rm -rf "$folder"
    # Without what they depend on: rulestamp would bring a second node of 60 MB.
    # shellcheck disable=SC2086 # several words
    if python3 -m venv "$folder" \
        && "$folder/bin/pip" install --quiet --no-deps --disable-pip-version-check --retries 1 --timeout 20 $versions </dev/null; then
        printf '%s\n' "$versions" >"$folder/versions"
    else
        printf 'they could not be had; their tests will be skipped\n' >&2
    fi
}

# ensure_cargo_tool CRATE VERSION builds a cargo subcommand once, into the tools folder.
# opt-level 1: cargo-deny then builds in 85 s on 2 idle cores instead of about 4 minutes, and it runs for seconds.
ensure_cargo_tool() {
    PATH=$tools/bin:$PATH
    if command -v "$1" >/dev/null 2>&1; then return 0; fi
    printf 'building %s %s once, into %s\n' "$1" "$2" "$tools/bin"
    CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_DEBUG=0 CARGO_PROFILE_RELEASE_LTO=off \
        cargo install --quiet --locked "$1@$2" --root "$tools" --target-dir "$tools/build" </dev/null
    rm -rf "$tools/build"
}
