# Runs a program and ends it with everything that it started, even if lambda-pack is killed with SIGKILL.
# Usage: sh supervise.sh NAME=VALUE COMMAND [ARGUMENT]...
# Standard input is a pipe whose other end lambda-pack holds: its end of file means that lambda-pack has ended.
# NAME=VALUE marks the program's environment. Processes that left the process group are found by it if there is a /proc.
exec 4<&0
mark=$1
(
  (
    read -r line
    for environment in /proc/[0-9]*/environ; do
      if grep -qsxzF -e "$mark" "$environment"; then
        process=${environment#/proc/}
        kill -9 "${process%/environ}"
      fi
    done
    kill -9 0
  ) <&4 3>&- >/dev/null 2>&1 &
) # two levels of parentheses, so that the watcher is no child of the program
exec env "$@" </dev/null 4<&-
