"""Replaces the native module `runtime_client` of awslambdaric by four calls over HTTP."""

import http.client
import os

_PREFIX = "/2018-06-01/runtime/invocation/"
_HEADERS = (
    "Lambda-Runtime-Aws-Request-Id",
    "Lambda-Runtime-Trace-Id",
    "Lambda-Runtime-Invoked-Function-Arn",
    "Lambda-Runtime-Deadline-Ms",
    "Lambda-Runtime-Client-Context",
    "Lambda-Runtime-Cognito-Identity",
    "Lambda-Runtime-Aws-Tenant-Id",
    "Lambda-Runtime-Invocation-Id",
    "Content-Type",
)
_connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])


def _send(method, path, body=None, headers=None):
    agent = {"User-Agent": "awslambdaric"}
    agent.update(headers or {})
    _connection.request(method, _PREFIX + path, body, agent)
    response = _connection.getresponse()
    return response.read(), response.headers


def initialize_client(user_agent):
    pass


def next():
    body, headers = _send("GET", "next")
    found = {name: headers.get(name) for name in _HEADERS}
    found["Lambda-Runtime-Deadline-Ms"] = int(found["Lambda-Runtime-Deadline-Ms"])
    return body, found


def post_invocation_result(request_id, body, content_type, *_):
    _send("POST", request_id + "/response", body, {"Content-Type": content_type})


def post_error(request_id, body, cause, *_):
    headers = {"Content-Type": "application/json", "Lambda-Runtime-Function-XRay-Error-Cause": cause or ""}
    _send("POST", request_id + "/error", body if isinstance(body, bytes) else str(body), headers)
