"""Greets by a template, with packages that pip would have put beside this file."""

import os
import pathlib

import jinja2
import markupsafe
import requests
from markupsafe import _speedups

TEMPLATE = (pathlib.Path(__file__).parent / "templates" / "greeting.txt").read_text(encoding="utf-8")


def task_is_writable():
    try:
        (pathlib.Path(os.environ["LAMBDA_TASK_ROOT"]) / "probe").write_text("")
        return True
    except OSError:
        return False


def handler(event, context):
    if event.get("fail"):
        raise ValueError("asked to fail")
    query = requests.Request("GET", "https://example.com/", params={"name": event["name"]}).prepare()
    pathlib.Path("/tmp/probe").write_text(context.aws_request_id)
    return {
        "greeting": jinja2.Template(TEMPLATE, autoescape=True).render(name=event["name"]).strip(),
        "url": query.url,
        "native": _speedups.escape("<") == markupsafe.Markup("&lt;"),
        "user": [os.getuid(), os.getgid()],
        "taskIsWritable": task_is_writable(),
    }
