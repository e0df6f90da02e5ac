"""A small Lambda runtime: loads the handler named by _HANDLER and answers events of the Runtime API."""

import http.client
import importlib
import json
import os
import sys
import traceback

PREFIX = "/2018-06-01/runtime"
API = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])


class Context:
    def __init__(self, headers):
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.deadline_ms = int(headers["Lambda-Runtime-Deadline-Ms"])
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")


def call(method, path, body=None, headers=None):
    API.request(method, PREFIX + path, body, headers or {})
    response = API.getresponse()
    return response.headers, response.read()


def describe(error):
    trace = traceback.format_exception(type(error), error, error.__traceback__)
    return json.dumps({"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": trace})


def load(handler):
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    module, _, name = handler.rpartition(".")
    try:
        return getattr(importlib.import_module(module.replace("/", ".")), name)
    except Exception as error:
        kind = {"Lambda-Runtime-Function-Error-Type": "Runtime.ImportModuleError"}
        call("POST", "/init/error", describe(error), kind)
        raise


def main():
    handler = load(os.environ["_HANDLER"])
    while True:
        headers, event = call("GET", "/invocation/next")
        context = Context(headers)
        path = "/invocation/" + context.aws_request_id
        try:
            answer = json.dumps(handler(json.loads(event), context))
        except Exception as error:
            kind = {"Lambda-Runtime-Function-Error-Type": "Runtime." + type(error).__name__}
            call("POST", path + "/error", describe(error), kind)
        else:
            call("POST", path + "/response", answer)


main()
