# Runs a program with the directory of an unpacked image as its root. Must run as root of a new user namespace, in its
# own mount namespace.
# Usage: sh sandbox.sh ROOT DIRECTORY UNSHARE "NAME..." COMMAND [ARGUMENT]...
# With extensions in the image it writes to file descriptor 3 how they and the program end, and sends the program the
# signals whose names it reads there. The output of extensions goes to stderr, all of the program's to stdout.
# The program gets the variables NAME; their values are in LAMBDA_PACK_NAME, so that no command line shows them.
set -e
PATH=/usr/sbin:/usr/bin:/sbin:/bin
root=$1

mount --bind "$root" "$root"
# Read-only, because a program that root of the machine started owns /proc/sys and the devices.
mount -t proc -o ro,nosuid,nodev,noexec proc "$root/proc"
mount -t tmpfs -o mode=1777,nosuid,nodev,size=512m tmpfs "$root/tmp"
mount -t tmpfs -o mode=755,nosuid,noexec,size=64k tmpfs "$root/dev"
for device in null zero full random urandom; do
  : >"$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
  mount -o remount,bind,ro,nosuid,noexec "$root/dev/$device"
done
ln -s /proc/self/fd "$root/dev/fd"
ln -s /proc/self/fd/0 "$root/dev/stdin"
ln -s /proc/self/fd/1 "$root/dev/stdout"
ln -s /proc/self/fd/2 "$root/dev/stderr"
mount -o remount,bind,ro,nosuid,noexec "$root/dev"
# A remount has to repeat the noatime or relatime of the file system.
mount -o remount,bind,ro,nosuid,nodev "$root" 2>/dev/null ||
  mount -o remount,bind,ro,nosuid,nodev,noatime "$root" 2>/dev/null ||
  mount -o remount,bind,ro,nosuid,nodev,relatime "$root"

cd "$root"
# From here on the environment belongs to the program: its variables must not be overwritten.
shift
unset root device OLDPWD PWD
for lambda_pack_name in $3; do
  eval "export $lambda_pack_name=\"\$LAMBDA_PACK_$lambda_pack_name\""
  unset "LAMBDA_PACK_$lambda_pack_name"
done
unset lambda_pack_name
# The program runs as Lambda's user, without capabilities, and cannot create namespaces in a changed root.
lambda_pack_directory=$1
lambda_pack_unshare=$2
shift 3
set +e
lambda_pack_started=
for lambda_pack_extension in opt/extensions/*; do
  if [ -f "$lambda_pack_extension" ] && [ -x "$lambda_pack_extension" ]; then
    lambda_pack_started=1
    (
      "$lambda_pack_unshare" --user --map-user=993 --map-group=990 --root=. --wd=/ -- "/$lambda_pack_extension" 3>&- >&2
      echo "${lambda_pack_extension##*/} $?" >&3
    ) &
  fi
done
if [ -z "$lambda_pack_started" ]; then
  exec "$lambda_pack_unshare" --user --map-user=993 --map-group=990 --root=. --wd="$lambda_pack_directory" -- "$@" 3>&-
fi
# Extensions outlive the runtime, and then learn why it ended.
(
  "$lambda_pack_unshare" --user --map-user=993 --map-group=990 --root=. --wd="$lambda_pack_directory" -- "$@" 3>&- 2>&1 &
  lambda_pack_runtime=$!
  while read -r lambda_pack_signal; do kill -s "$lambda_pack_signal" "$lambda_pack_runtime" 2>/dev/null; done <&3 &
  wait "$lambda_pack_runtime" 2>/dev/null # the shell's own message about a killed program
  echo "- $?" >&3
) &
wait
