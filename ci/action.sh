#!/usr/bin/env bash
# What action.yml runs, in the root of the checkout: problems, findings and failed tests as
# annotations on stdout; who would own what instead as the job's summary. Exits with 1 where there
# is a problem, a finding or a failed test.
#
#   RULES     the rules file
#   BASE      the revision to compare with; empty: nothing is compared
#   RESTRICT  "true": a team file may assign to its own team only
set -uo pipefail

rules=${RULES:-ownership_rules.yaml}
summary=${GITHUB_STEP_SUMMARY:-/dev/null}
options=()
[[ ${RESTRICT:-false} == true ]] && options+=(--restrict-team-files)

# A shallow checkout has no base yet. What is no revision is left to git to refuse, by diff.
has_base() {
    git rev-parse --quiet --verify --end-of-options "$BASE^{commit}" >/dev/null ||
        { [[ $BASE != -* ]] && git fetch --quiet --depth=1 --end-of-options origin "$BASE"; }
}

summarise() {
    local said
    echo "### Owners that change"
    echo
    if said=$(pointsman diff --repo . -- "git:$BASE:$rules" "$rules" 2>&1); then
        printf '%s\n' "$said" | sed 's/^/    /' # a block of code, whatever the paths hold
    else
        echo "There is nothing to compare with:"
        echo
        printf '%s\n' "$said" | sed 's/^/    /'
    fi
}

failed=0
pointsman check --rules "$rules" --repo . --format github ${options[@]+"${options[@]}"} || failed=1
pointsman test --rules "$rules" --repo . --format github || failed=1
if [[ -n ${BASE:-} ]]; then
    has_base
    summarise >>"$summary"
fi
exit "$failed"
