# Runs a program with bubblewrap, with the directory of an unpacked image as its root and with this machine's network.
# Usage: sh bubblewrap.sh BWRAP ROOT DIRECTORY "NAME..." COMMAND [ARGUMENT]...
# The program gets the variables NAME; their values are in LAMBDA_PACK_NAME, so that no command line shows them.
set -e
lambda_pack_bwrap=$1
lambda_pack_root=$2
lambda_pack_directory=$3
unset OLDPWD PWD
for lambda_pack_name in $4; do
  eval "export $lambda_pack_name=\"\$LAMBDA_PACK_$lambda_pack_name\""
  unset "LAMBDA_PACK_$lambda_pack_name"
done
unset lambda_pack_name
shift 4
exec "$lambda_pack_bwrap" --unshare-user --uid 993 --gid 990 --unshare-pid --unshare-ipc --unshare-uts \
  --die-with-parent --ro-bind "$lambda_pack_root" / --proc /proc --remount-ro /proc --dev /dev --remount-ro /dev \
  --perms 1777 --tmpfs /tmp --chdir "$lambda_pack_directory" -- "$@"
