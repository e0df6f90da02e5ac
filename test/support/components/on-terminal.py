"""Runs a program on a pseudo terminal. argv[1] is JSON: the program's argv, the size, and steps, each
taken once its pattern has been seen in the output since the step before. Prints what happened, a JSON
array on a line each: ["size", columns], ["output", base64], ["status", number]."""

import base64, fcntl, json, os, pty, re, struct, sys, termios

plan = json.loads(sys.argv[1])


def tell(*event):
    print(json.dumps(event), flush=True)


def resize(columns):
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", plan["rows"], columns, 0, 0))
    tell("size", columns)


start, go = os.pipe()
child, master = pty.fork()
if child == 0:
    os.read(start, 1)
    os.execvp(plan["argv"][0], plan["argv"])
resize(plan["columns"])
os.write(go, b".")

steps, seen = list(plan["steps"]), ""
while True:
    try:
        chunk = os.read(master, 65536)
    except OSError:
        break
    if not chunk:
        break
    tell("output", base64.b64encode(chunk).decode())
    seen += chunk.decode(errors="replace")
    if steps and re.search(steps[0]["after"], seen):
        step, seen = steps.pop(0), ""
        if "columns" in step:
            resize(step["columns"])
        if "keys" in step:
            os.write(master, step["keys"].encode())

_, status = os.waitpid(child, 0)
tell("status", os.waitstatus_to_exitcode(status))
