#!/bin/sh
# Makes a git repository with one key policy, then plays five pull requests against it. Needs git and kmslint.
#
#   sh examples/pull-request/demo.sh FOLDER
#
# FOLDER must not exist. KMSLINT is the command to run (default: kmslint).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
repository=${1:?name a folder to make}
kmslint=${KMSLINT:-kmslint}

mkdir "$repository"
cd "$repository"
git init -q -b main .
git config user.name Demo
git config user.email demo@example.com
git config commit.gpgsign false
mkdir keys
cp "$here/policy.json" keys/results.json
printf 'account = "111122223333"\ntrusted_accounts = ["444455556666"]\n' > kmslint.toml
git add -A
git commit -q -m "the key of the results"

# what a pull request runs
gate() {
  printf '\n== %s\n$ kmslint diff --base main --trusted-ref main keys\n' "$1"
  code=0
  $kmslint diff --base main --trusted-ref main --color never keys || code=$?
  printf 'exit code %s\n' "$code"
}

start() {
  git checkout -q -B "$1" main
}

# an edit of the policy, by lines
edit() {
  sed "$1" keys/results.json > keys/edited
  mv keys/edited keys/results.json
}

propose() {
  git commit -q -a -m "$1"
  gate "$1"
}

start refactoring
cp "$here/refactored.json" keys/results.json
propose "refactoring: statements split and reordered, names for lists, an account for its root"

start no-deny
edit '/"kms:EncryptionContext:purpose"/{n;s/},/}/;}; /"Sid": "NobodyOutsideDecrypts"/,$d'
# the line that opened the Deny goes, and the list is closed
edit '$d'
printf '  ]\n}\n' >> keys/results.json
propose "a Deny removed"

start if-exists
edit 's/{"StringEquals": {"kms:EncryptionContext:purpose"/{"StringEqualsIfExists": {"kms:EncryptionContext:purpose"/'
propose "a condition turned to IfExists"

start one-more-account
edit 's/\["arn:aws:iam::444455556666:root"\]/["arn:aws:iam::444455556666:root", "arn:aws:iam::777788889999:root"]/'
propose "an account added to a list"

# a change that also tells the gate to look away: the gate reads its configuration from main
start weaker-gate
edit 's/\["arn:aws:iam::444455556666:root"\]/["arn:aws:iam::444455556666:root", "arn:aws:iam::777788889999:root"]/'
printf 'account = "777788889999"\ntrusted_accounts = ["444455556666"]\nfail_on = "never"\n' > kmslint.toml
propose "an account added, and called the owner"

git checkout -q main
