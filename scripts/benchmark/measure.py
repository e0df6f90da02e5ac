"""Runs a command and prints what it cost as JSON: measure.py COMMAND ARGS...

ru_maxrss is that of the largest single process among the command and the children that it waited for.
"""

import json
import os
import sys
import time

started = time.monotonic()
child = os.fork()
if child == 0:
    os.dup2(2, 1)
    os.execvp(sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(child, 0)
wall = time.monotonic() - started
cost = {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss * 1024}
json.dump({**cost, "status": os.waitstatus_to_exitcode(status)}, sys.stdout)
