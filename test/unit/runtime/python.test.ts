import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { findPython } from "../../../src/runtime/host/interpreter.ts";
import { pythonFunction, read } from "../../support/local-function.ts";

const python = await findPython(process.env).catch(() => undefined);
const minor = Number(python?.version.split(".")[1]);
const skip = python === undefined && "there is no Python on this machine";

describe("a function in Python on this machine", { skip }, () => {
  it("answers with what the handler returns, and tells the context", async (t) => {
    const source = `
import decimal
def handler(event, context):
    return {
        "hello": event["name"], "id": context.aws_request_id, "left": context.get_remaining_time_in_millis() > 0,
        "custom": context.client_context.custom, "price": decimal.Decimal("1.5"), "memory": context.memory_limit_in_mb,
    }
`;
    const local = await pythonFunction(t, { "app.py": source });
    const report = await local.invoke({ name: "Ådå" }, { clientContext: '{"custom":{"a":1}}' });
    assert.deepEqual(read(report), {
      kind: "result",
      value: {
        ...{ hello: "Ådå", id: report.requestId, left: true, custom: { a: 1 }, price: 1.5, memory: "128" },
      },
    });
    assert.match(local.environment.ranWith, /, (?:lambda-pack's own runtime client|awslambdaric)$/);
  });

  it("gives type, message and stack trace of what the handler raises, and goes on", async (t) => {
    const local = await pythonFunction(t, {
      "app.py": "def handler(event, context):\n    return 10 / event\n",
    });
    const { kind, value } = read(await local.invoke(0));
    const { errorType, errorMessage, stackTrace } = value as Record<string, unknown>;
    assert.deepEqual([kind, errorType, errorMessage], ["error", "ZeroDivisionError", "division by zero"]);
    assert.match(String((stackTrace as string[])[0]), /app\.py", line 2, in handler/);
    assert.equal(read(await local.invoke(5)).value, 2);
  });

  const broken = [
    ["Runtime.HandlerNotFound", "", "app.handler"],
    ["Runtime.ImportModuleError", "import not_there", "app.handler"],
    ["Runtime.UserCodeSyntaxError", "def handler(:", "app.handler"],
    ["Runtime.MalformedHandlerName", "", "app"],
    ["KeyError", "{}['missing']", "app.handler"],
  ] as const;
  for (const [errorType, source, handler] of broken) {
    it(`reports ${errorType} of a start that fails`, async (t) => {
      const local = await pythonFunction(t, { "app.py": source }, { handler });
      const { kind, value } = read(await local.invoke({}));
      assert.deepEqual([kind, (value as { errorType: string }).errorType], ["error", errorType]);
    });
  }

  it("writes numbers and text as Lambda's client does", async (t) => {
    const source = 'def handler(event, context):\n    return [float("nan"), "\u00e9"]\n';
    const local = await pythonFunction(t, { "app.py": source });
    const body = (await local.invoke({})).outcome.body.toString();
    assert.equal(body, minor < 12 ? '[NaN, "\\u00e9"]' : '[NaN, "é"]');
  });

  it("leaves itself out of the trace of a module that cannot be imported", async (t) => {
    const local = await pythonFunction(t, { "app.py": 'raise KeyError("no")\n' });
    const body = (await local.invoke({})).outcome.body.toString();
    assert.match(body, /"errorType": "KeyError"/);
    assert.doesNotMatch(body, /python_client/);
  });

  it("reports a value that is not JSON", async (t) => {
    const local = await pythonFunction(t, { "app.py": "def handler(event, context):\n    return {1, 2}\n" });
    const { outcome } = await local.invoke({});
    assert.equal(outcome.kind === "error" && outcome.errorType, "Runtime.MarshalError");
  });

  it("writes what is printed and logged as it comes, with Lambda's format for the log", async (t) => {
    const source = `
import logging
def handler(event, context):
    print("printed")
    logging.getLogger().warning("careful %d", 7)
`;
    const local = await pythonFunction(t, { "app.py": source });
    const { requestId } = await local.invoke({});
    const [, printed, logged] = local.log().split("\n");
    assert.equal(printed, "printed");
    assert.match(logged ?? "", new RegExp(`^\\[WARNING\\]\\t[-0-9T:.]+Z\\t${requestId}\\tcareful 7$`));
  });

  it("names the packages that the app took from this machine's Python and not from its own directory", async (t) => {
    const source = "import pip\ndef handler(event, context):\n    return 1\n";
    const local = await pythonFunction(t, { "app.py": source });
    await local.invoke({});
    assert.match(local.log(), /warning: imported from this machine's Python, not from the app: pip\n/);
  });

  it("finds a handler in a package, with Lambda's slashes", async (t) => {
    const local = await pythonFunction(
      t,
      { "src/__init__.py": "", "src/api.py": "def get(event, context):\n    return __name__\n" },
      { handler: "src/api.get" },
    );
    assert.equal(read(await local.invoke({})).value, "src.api");
  });
});
