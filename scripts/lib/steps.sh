# shellcheck shell=bash
# Runs suites one after the other, counts, and compares the minutes with the budget. Sourced by scripts/test, never run.
# A suite is a function `suite_NAME`; its minutes stand in the table of CONTRIBUTING.md and nowhere else.

# shellcheck source=scripts/lib/setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

logs=$target/test-logs
passed=0
failed=0
table=()
notes=()
# What a suite's output must hold for its success to count: a run that did nothing proves nothing.
declare -A must_print=()

# budget NAME: its minutes, from the table row that names it; nothing if there is none.
budget() { sed -n "s/^| \`$1\` *| *\([0-9][0-9]*\) *|.*/\1/p" "$root/CONTRIBUTING.md" | head -n 1; }

# rows_fit TOTAL SUITE...: the minutes of the suites are no more than those of the whole run.
rows_fit() {
    local name sum=0
    for name in "${@:2}"; do sum=$((sum + $(budget "$name"))); done
    printf '%s: %s of %s minutes are given to suites\n' "$1" "$sum" "$(budget "$1")"
    ((sum <= $(budget "$1")))
}

# The run may be at a terminal (Ctrl-C must reach the children) or in CI (a hung test's children must die with it);
# `timeout` can do either, not both.
if [[ -t 0 ]]; then timeout_how=(--foreground); else timeout_how=(); fi

# run COMMAND...: says what runs, takes standard input away, and ends it after three times its budget and five minutes:
# a hung test must end with a sentence here, before whoever started the run gives up without one.
run() {
    printf '$ %s\n' "$*"
    timeout "${timeout_how[@]}" -k 10 "$limit_min"m "$@" </dev/null || {
        local code=$?
        if ((code == 124 || code == 137)); then printf 'stopped: it still ran after %s minutes\n' "$limit_min"; fi
        return "$code"
    }
}

# skip WHY: only for what lies outside the repository. A suite's last word.
skip() {
    printf '\n*** SKIPPED %s: %s ***\n' "$suite" "$1"
    printf '%s' "$1" >"$logs/$suite.skipped"
}

minutes() { awk -v s="$1" 'BEGIN { printf "%.1f", s / 60 }'; }

# The closing lines of cargo test in a log, added up: "passed failed".
test_results() {
    awk '/^test result: / { for (i = 2; i <= NF; i++) { if ($i == "passed;") p += $(i - 1); if ($i == "failed;") f += $(i - 1) } }
         END { print p + 0, f + 0 }' "$1"
}

# run_suite NAME: runs suite_NAME, whatever it does, and goes on. Must not stand in an if or &&: bash would take `set -e`
# away from the suite, and only its last command would count.
run_suite() {
    suite=$1
    local budget_min used_s code p f word=ok log=$logs/$1.log start=$SECONDS
    budget_min=$(budget "$suite")
    [[ -n $budget_min ]] || die "'$suite' has no row in the budget table of CONTRIBUTING.md"
    limit_min=$((budget_min * 3 + 5))
    rm -f "$logs/$suite.skipped"
    heading "$suite"

    set +e
    (set -e; "suite_$suite") 2>&1 | tee "$log"
    code=${PIPESTATUS[0]}
    set -e

    read -r p f < <(test_results "$log")
    if ((code == 0)) && [[ -f $logs/$suite.skipped ]]; then
        word=SKIPPED
        notes+=("SKIPPED  $suite: $(<"$logs/$suite.skipped")")
    elif ((code != 0 || f > 0)); then
        word=FAILED
        notes+=("FAILED   $suite (exit code $code), log: $log")
    elif [[ -n ${must_print[$suite]:-} ]] && ! grep -qE -- "${must_print[$suite]}" "$log"; then
        word=FAILED
        notes+=("FAILED   $suite ended well but never printed '${must_print[$suite]}', log: $log")
    fi
    # A suite is one check, unless cargo counted its tests.
    case $word in
        ok) ((p > 0)) || p=1 ;;
        FAILED) ((f > 0)) || f=1 ;;
    esac
    passed=$((passed + p))
    failed=$((failed + f))

    used_s=$((SECONDS - start))
    if ((used_s > budget_min * 60)); then
        notes+=("OVER     $suite took $(minutes "$used_s") of its $budget_min minutes: make it faster")
    fi
    table+=("$(printf '%-12s %6s min of %3s   %s' "$suite" "$(minutes "$used_s")" "$budget_min" "$word")")
}

# finish TOTAL: the table, what to know, and the closing line; TOTAL is the budget row of the whole run.
# CI fails when the run is over it; a developer's machine may be busy with other things.
finish() {
    local line total_min
    total_min=$(budget "$1")
    if ((SECONDS > total_min * 60)); then
        notes+=("OVER     the whole run took $(minutes "$SECONDS") of $total_min minutes")
        if [[ ${CI:-} == true ]]; then failed=$((failed + 1)); fi
    fi
    heading "minutes used"
    for line in "${table[@]}"; do printf '%s\n' "$line"; done
    printf '%-12s %6s min of %3s\n\n' total "$(minutes "$SECONDS")" "$total_min"
    if ((${#notes[@]} > 0)); then printf '%s\n' "${notes[@]}"; fi
    printf '\n%s passed, %s failed\n' "$passed" "$failed"
    if ((failed > 0 || passed == 0)); then exit 1; fi
}
