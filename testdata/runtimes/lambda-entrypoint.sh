#!/bin/sh
# The contract of the entrypoint in AWS's base images: exactly one argument, the handler.
if [ $# -ne 1 ]; then
  echo "entrypoint requires the handler name to be the first argument" 1>&2
  exit 142
fi
if [ -z "${AWS_LAMBDA_RUNTIME_API}" ]; then
  echo "AWS_LAMBDA_RUNTIME_API is not set, and there is no emulator in this image" 1>&2
  exit 1
fi
export _HANDLER="$1"
exec /var/runtime/bootstrap
