# shellcheck shell=bash
# The phone's shell without Gradle, SDK or NDK: what it needs, its resources, its tests. Sourced by scripts/test and scripts/apk, never run.
# Everything made lies beneath $android_out; the sources get nothing generated.

# shellcheck source=scripts/lib/setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

app=$root/android/app
android_out=$target/android
android_framework=$android_out/framework/framework.apk
android_resources=$android_out/resources
android_bindings=$android_out/bindings
android_library=$android_out/library
min_sdk=26
target_sdk=35

# Debian's aapt has both aapt and aapt2. A JDK older than 17 cannot run the compilers, one younger than 21 is not known to Robolectric.
ensure_android() {
    ensure_commands aapt2:aapt aapt:aapt zipalign:zipalign apksigner:apksigner dexdump:dexdump mvn:maven zip:zip unzip:unzip readelf:binutils
    ensure_jdk
}

find_jdk() {
    local home
    for home in "${JAVA_HOME:-/nonexistent}" /usr/lib/jvm/java-17-openjdk-* /usr/lib/jvm/java-21-openjdk-*; do
        if [[ -x $home/bin/javac ]] && "$home/bin/javac" -version 2>&1 | grep -qE '^javac (17|21)\.'; then
            printf '%s' "$home"
            return 0
        fi
    done
    return 1
}

# Sets JAVA_HOME for Maven and the packers.
ensure_jdk() {
    local home
    home=$(find_jdk) || {
        # 17 in Debian 12, 21 in Debian 13.
        ensure_packages default-jdk-headless
        home=$(find_jdk) || die "a JDK 17 or 21 is needed and could not be installed: install one, set JAVA_HOME to it, then run this again."
    }
    export JAVA_HOME=$home
    PATH=$home/bin:$PATH
}

# android_mvn ARGUMENT...: Maven on the shell's module.
android_mvn() {
    mkdir -p "$android_bindings" "$android_library"
    mvn -B -ntp -f "$app/pom.xml" -Dgroschen.out="$android_out" "$@" </dev/null
}

# A framework for aapt2 to link against. Debian's own knows Android 10 only, and its aapt2 opens no jar of this size: two entries are enough for it.
ensure_framework() {
    local folder=$android_out/framework
    if [[ -f $android_framework ]]; then return 0; fi
    android_mvn dependency:copy@framework
    unzip -q -o "$folder/framework.jar" resources.arsc AndroidManifest.xml -d "$folder"
    (cd "$folder" && zip -q -0 -X framework.part resources.arsc AndroidManifest.xml)
    mv "$folder/framework.part" "$android_framework"
    rm "$folder/framework.jar" "$folder/resources.arsc" "$folder/AndroidManifest.xml"
}

# The core for this machine, and its Kotlin bindings made from it: what the shell is compiled with and tests load.
android_core() {
    cargo build --locked -p core-ffi -p bindgen --features core-ffi/uniffi
    android_bind
}

# The bindings of a core that is there. Those that did not change keep their files, so that what was compiled with them counts.
android_bind() {
    local fresh=$android_out/bindings.fresh
    rm -rf "$fresh"
    # From core-ffi/, whose uniffi.toml it reads.
    (cd core-ffi && "$target/debug/uniffi-bindgen" generate --language kotlin --no-format --out-dir "$fresh" "$target/debug/libcore_ffi.so")
    if ! diff -rq "$fresh" "$android_bindings" >/dev/null 2>&1; then
        rm -rf "$android_bindings"
        mv "$fresh" "$android_bindings"
    fi
    mkdir -p "$android_library"
    ln -sfn "$target/debug/libcore_ffi.so" "$android_library/libcore_ffi.so"
}

# The workspace's version, and the number that Android compares.
android_version_name() { sed -n 's/^version = "\([0-9.]*\)".*/\1/p' "$root/Cargo.toml" | head -n 1; }
android_version_code() { android_version_name | awk -F. '{ print $1 * 10000 + $2 * 100 + $3 }'; }

# Compiles and links res/ and the manifest: base.apk, R.java, the keep rules of what the manifest names, and where Robolectric finds it all.
android_link() {
    local folder=$android_resources
    ensure_framework
    rm -rf "$folder"
    mkdir -p "$folder/java" "$folder/assets" "$folder/test/com/android/tools"
    sed 's/<manifest /<manifest package="app.groschen.till" /' "$app/src/main/AndroidManifest.xml" >"$folder/AndroidManifest.xml"
    aapt2 compile --dir "$app/src/main/res" -o "$folder/res.zip"
    # Linking repeats that the framework has a chunk that this aapt2 does not know; it needs none of it.
    aapt2 link -I "$android_framework" --manifest "$folder/AndroidManifest.xml" --min-sdk-version "$min_sdk" --target-sdk-version "$target_sdk" \
        --version-name "$(android_version_name)" --version-code "$(android_version_code)" \
        --java "$folder/java" --proguard "$folder/keep.pro" -o "$folder/base.apk" "$folder/res.zip" 2> >(grep -v 'Unknown chunk type' >&2)
    cat >"$folder/test/com/android/tools/test_config.properties" <<PROPERTIES
android_custom_package=app.groschen.till
android_merged_manifest=$folder/AndroidManifest.xml
android_merged_assets=$folder/assets
android_resource_apk=$folder/base.apk
PROPERTIES
}

# The sources that the compiled shell was made of are still these: then it need not be compiled again.
android_is_compiled() {
    local stamp=$android_out/compiled
    [[ -f $stamp && -f $android_out/maven/classes/app/groschen/till/R.class ]] \
        && [[ -z $(find "$app/src/main" "$app/pom.xml" "$android_bindings" -newer "$stamp" -print -quit) ]]
}

# Compiles the shell without its tests.
android_compile() {
    android_link
    if android_is_compiled; then return 0; fi
    rm -rf "$android_out/maven/classes" "$android_out/compiled"
    android_mvn -q process-classes
    touch "$android_out/compiled"
}

# android_test [ARGUMENT...]: compiles the shell and runs its tests; -Dtest=NAME for some, -Dgoldens=write to draw the pictures anew.
# The closing line is that of cargo test, which scripts/test adds up.
android_test() {
    local reports=$android_out/maven/surefire-reports
    android_link
    # What a deleted source left behind would run on.
    rm -rf "$reports" "$android_out"/maven/{classes,test-classes} "$android_out/compiled"
    android_mvn -q test -Dgroschen.program="$target/debug/groschen" "$@"
    touch "$android_out/compiled"
    cat "$reports"/*.txt
    awk '/^Tests run:/ { gsub(",", ""); run += $3; bad += $5 + $7; skipped += $9 }
         END { printf "test result: ok. %d passed; %d failed; %d ignored\n", run - bad - skipped, bad, skipped; exit !(run > skipped) }' "$reports"/*.txt
}

# Whether the core type-checks for a phone. Its C parts (SQLite, ring) are not compiled: bionic's headers come with the NDK only.
# Says how it was done, and returns 3 if it cannot be had here.
android_check() {
    local tools=$android_out/check-tools triple=aarch64-linux-android
    local check=(cargo check --locked --release -p core-ffi --lib --features uniffi --target "$triple")
    mkdir -p "$tools"
    # Stand-ins for the C compiler and the archiver: each file wanted is made, empty.
    cat >"$tools/cc" <<'CC'
#!/bin/sh
while [ $# -gt 0 ]; do
    case $1 in
        -o) : >"$2"; shift ;;
        -o?*) : >"${1#-o}" ;;
    esac
    shift
done
CC
    cat >"$tools/ar" <<'AR'
#!/bin/sh
for argument; do
    case $argument in *.a) : >"$argument" ;; esac
done
AR
    chmod +x "$tools/cc" "$tools/ar"
    export CC_aarch64_linux_android=$tools/cc AR_aarch64_linux_android=$tools/ar

    if [[ -d $(rustc --print sysroot)/lib/rustlib/$triple ]]; then
        printf 'with rustup'\''s target\n'
        "${check[@]}"
        return
    fi
    debian_rust "$tools/rust" || return 3
    printf 'with Debian'\''s compiler and the source of its standard library\n'
    cat >"$tools/rustc" <<RUSTC
#!/bin/sh
LD_LIBRARY_PATH=$tools/rust/usr/lib/x86_64-linux-gnu exec $tools/rust/usr/bin/rustc "\$@"
RUSTC
    chmod +x "$tools/rustc"
    # A folder of its own: what another compiler built would be thrown away each time.
    CARGO_TARGET_DIR=$android_out/check RUSTC=$tools/rustc RUSTC_BOOTSTRAP=1 "${check[@]}" -Zbuild-std=std,panic_unwind
}

# debian_rust FOLDER: Debian's newest compiler with its library's source, unpacked and not installed: rustup's must stay the one of all else.
debian_rust() {
    local package packages=(rustc-web libstd-rust-web-dev rust-web-src)
    if [[ -x $1/usr/bin/rustc ]]; then return 0; fi
    [[ $(dpkg --print-architecture 2>/dev/null) == amd64 ]] || return 1
    # The libraries of the compiler itself are named by their versions.
    for package in 'libstd-rust-web-[0-9.]+' 'libllvm[0-9]+'; do
        packages+=("$(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances \
            libstd-rust-web-dev 2>/dev/null | grep -oE "^ *Depends: $package\$" | sed 's/.*: //' | head -n 1)")
    done
    mkdir -p "$1/packages"
    (cd "$1/packages" && apt-get download -qq -o APT::Sandbox::User=root "${packages[@]}") || return 1
    for package in "$1"/packages/*.deb; do dpkg -x "$package" "$1"; done
    rm -r "$1/packages"
}
