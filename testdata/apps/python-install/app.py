"""Encodes a host name with a package that `lambda-pack build --install` brings along."""

import idna


def handler(event, context):
    return {"host": idna.encode(event["name"]).decode("ascii")}
