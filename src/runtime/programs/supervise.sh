# Runs a program that ends with everything it started, also when lambda-pack is killed with SIGKILL.
# Usage: sh supervise.sh NAME=VALUE COMMAND [ARGUMENT]...
# Standard input is a pipe whose other end lambda-pack holds: its end of file means that lambda-pack is gone.
# NAME=VALUE marks the program's environment: what left the process group is found by it, where there is a /proc.
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
) # twice in parentheses: the watcher is no child of the program
exec env "$@" </dev/null 4<&-
