# Starts a program in a network that has only the Runtime API. Must run as root of a new network namespace.
# Usage: sh own-network.sh IP NODE FORWARDER SOCKET COMMAND [ARGUMENT]...
set -e
case $1 in
*/ifconfig) "$1" lo up ;;
*) "$1" link set lo up ;;
esac
shift
exec "$@"
