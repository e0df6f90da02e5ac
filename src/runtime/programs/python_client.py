"""A client of Lambda's Runtime API for functions in Python: fetches events, calls the handler and posts its response.

Used if AWS's own client (awslambdaric) is neither among the app's packages nor on this machine.
"""

import decimal
import http.client
import importlib
import json
import logging
import os
import sys
import sysconfig
import time
import traceback

_PREFIX = "/2018-06-01/runtime/"
# The packages of Lambda's own images for Python, beside the standard library.
_IN_THE_BASE = {"awslambdaric", "boto3", "botocore", "dateutil", "jmespath", "s3transfer", "simplejson", "six", "urllib3"}


class InitError(Exception):
    """The handler cannot be loaded; `name` is Lambda's error type."""

    def __init__(self, name, message):
        super().__init__(message)
        self.name = name


class Api:
    """A connection that is kept open."""

    def __init__(self):
        self._connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])

    def send(self, method, path, body=None, error_type=None):
        headers = {"User-Agent": "lambda-pack-python", "Content-Type": "application/json"}
        if error_type:
            headers["Lambda-Runtime-Function-Error-Type"] = error_type
        self._connection.request(method, _PREFIX + path, body, headers)
        response = self._connection.getresponse()
        return response.read(), response.headers


class Record:
    """The values of a JSON object in the headers, as attributes: client context, Cognito identity."""

    def __init__(self, values, names):
        for name, key in names.items():
            setattr(self, name, values.get(key))


class Context:
    """The handler's second argument (AWS docs, "AWS Lambda context object in Python")."""

    def __init__(self, headers):
        environment = os.environ
        self.function_name = environment.get("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = environment.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = environment.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.log_group_name = environment.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = environment.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.tenant_id = headers.get("Lambda-Runtime-Aws-Tenant-Id")
        self._deadline = int(headers["Lambda-Runtime-Deadline-Ms"])
        identity = json.loads(headers.get("Lambda-Runtime-Cognito-Identity") or "{}")
        self.identity = Record(
            identity,
            {"cognito_identity_id": "cognitoIdentityId", "cognito_identity_pool_id": "cognitoIdentityPoolId"},
        )
        self.client_context = _client_context(headers.get("Lambda-Runtime-Client-Context"))

    def get_remaining_time_in_millis(self):
        return max(self._deadline - int(time.time() * 1000), 0)

    def log(self, message):
        sys.stdout.write(str(message))


def _client_context(text):
    if not text:
        return None
    values = json.loads(text)
    context = Record(values, {"custom": "custom", "env": "env"})
    names = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")
    context.client = Record(values.get("client") or {}, {name: name for name in names})
    return context


class LogHandler(logging.Handler):
    """Writes lines like Lambda's: level, time, request ID and message, separated by tabs."""

    request_id = ""

    def emit(self, record):
        now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        head = "[%s]\t%s.%03dZ\t%s\t" % (record.levelname, now, record.msecs, self.request_id)
        sys.stdout.write(head + self.format(record) + "\n")


def find_handler(handler):
    """Imports the handler's module as Lambda does: `directory/module.function`."""
    module_name, dot, name = handler.rpartition(".")
    if not dot or not module_name:
        raise InitError("Runtime.MalformedHandlerName", "Bad handler '%s': no function after a dot" % handler)
    module_name = module_name.replace("/", ".")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise InitError(
            "Runtime.ImportModuleError", "Unable to import module '%s': %s" % (module_name, error)
        ) from error
    except SyntaxError as error:
        raise InitError(
            "Runtime.UserCodeSyntaxError", "Syntax error in module '%s': %s" % (module_name, error)
        ) from error
    if not hasattr(module, name):
        message = "Handler '%s' missing on module '%s'" % (name, module_name)
        raise InitError("Runtime.HandlerNotFound", message)
    return getattr(module, name)


def warn_of_host_packages(before):
    """Warns of packages that come from this machine: an image has only those of the app and the base.

    `before`: the names of the modules that were loaded before the app's.
    """
    sites = tuple(os.path.join(sysconfig.get_path(name), "") for name in ("purelib", "platlib"))
    found = set()
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None) or ""
        package = name.partition(".")[0]
        if file.startswith(sites) and package not in _IN_THE_BASE:
            found.add(package)
    if found:
        text = "warning: imported from this machine's Python, not from the app: %s\n" % ", ".join(sorted(found))
        sys.stderr.write(text + "fix: install them into the app's directory, for example pip install --target .\n")


def error_body(error, own_frames, request_id=""):
    """Returns an exception as Lambda's callers see it, without the first `own_frames` frames, which are this file's."""
    name = error.name if isinstance(error, InitError) else type(error).__name__
    frames = [] if isinstance(error, InitError) else traceback.extract_tb(error.__traceback__)[own_frames:]
    stack = traceback.format_list(frames)
    head = "Traceback (most recent call last):\n" if stack else ""
    sys.stdout.write("[ERROR] %s: %s\n%s%s" % (name, error, head, "".join(stack)))
    body = {"errorMessage": str(error), "errorType": name, "requestId": request_id, "stackTrace": stack}
    return json.dumps(body, ensure_ascii=False).encode(), name


def encode(value):
    """Encodes a response as Lambda's client does: a Decimal is a number, and text is escaped up to Python 3.11."""

    def other(item):
        if isinstance(item, decimal.Decimal):
            return float(item)
        raise TypeError("Object of type %s is not JSON serializable" % type(item).__name__)

    try:
        return json.dumps(value, default=other, ensure_ascii=sys.version_info < (3, 12)).encode()
    except (TypeError, ValueError) as error:
        raise InitError("Runtime.MarshalError", "Unable to marshal response: %s" % error) from error


def serve(api, handler, log):
    """Handles one invocation after the other, until the process is stopped."""
    while True:
        body, headers = api.send("GET", "invocation/next")
        context = Context(headers)
        log.request_id = context.aws_request_id
        os.environ["_X_AMZN_TRACE_ID"] = headers.get("Lambda-Runtime-Trace-Id") or ""
        path = "invocation/" + context.aws_request_id
        try:
            answer = encode(handler(json.loads(body.decode()), context))
        except Exception as error:  # any exception of the handler is its response
            text, name = error_body(error, 1, context.aws_request_id)
            api.send("POST", path + "/error", text, name)
        else:
            api.send("POST", path + "/response", answer)


def run(handler_name):
    """Handles invocations until the process is stopped; ends with status 1 if the handler cannot be loaded."""
    log = LogHandler()
    logging.getLogger().addHandler(log)
    api = Api()
    before = set(sys.modules)
    try:
        handler = find_handler(handler_name)
    except Exception as error:  # any exception of the module ends the init phase
        text, name = error_body(error, 2)
        api.send("POST", "init/error", text, name)
        sys.exit(1)
    if not __file__.startswith("/opt/lambda-pack/"):  # in an image every package is the image's own
        warn_of_host_packages(before)
    serve(api, handler, log)
