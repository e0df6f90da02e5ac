"""Starts a function in Python: with AWS's own client if it can be imported, else with the one beside this file.

Usage: python3 -u python_bootstrap.py HANDLER
AWS's client (awslambdaric) has a native part, which has to be compiled: python_runtime_client.py replaces it.
"""

import importlib.util
import os
import runpy
import sys
import types

DIRECTORY = os.path.dirname(os.path.abspath(__file__))


def load(name, file):
    """Loads a module beside this file, whose directory is not on the app's path."""
    spec = importlib.util.spec_from_file_location(name, os.path.join(DIRECTORY, file))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def find_aws_client():
    """Returns whether awslambdaric and its requirements are installed."""
    try:
        return all(importlib.util.find_spec(name) for name in ("awslambdaric", "simplejson"))
    except (ImportError, ValueError):
        return False


def add_snapshot_hooks():
    """Adds the package that provides SnapStart's hooks to awslambdaric, without any hooks."""
    if importlib.util.find_spec("snapshot_restore_py") is None:
        hooks = types.ModuleType("snapshot_restore_py")
        hooks.get_before_snapshot = lambda: []
        hooks.get_after_restore = lambda: []
        sys.modules["snapshot_restore_py"] = hooks


def main():
    task_root = os.environ.get("LAMBDA_TASK_ROOT") or os.getcwd()
    # Python puts the directory of the program first; the app's replaces it.
    sys.path[0] = task_root
    # In an image the app is in WORKDIR, which can differ from the task root.
    if os.getcwd() != task_root:
        sys.path.insert(1, os.getcwd())
    for directory in ("/opt/python",):
        if os.path.isdir(directory):
            sys.path.insert(1, directory)
    handler = sys.argv[1]
    if find_aws_client():
        load("runtime_client", "python_runtime_client.py")
        add_snapshot_hooks()
        sys.argv = ["awslambdaric", handler]
        runpy.run_module("awslambdaric", run_name="__main__")
    else:
        load("lambda_pack_client", "python_client.py").run(handler)


main()
