import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { parseConfig } from "../../../src/commands/config/parse.ts";
import { CONFIG_TABLE, FUNCTION_TABLE } from "../../../src/commands/config/table.ts";
import { importDockerfile } from "../../../src/index.ts";
import { makeTree } from "../../support/trees.ts";

function imported(Dockerfile: string) {
  const root = makeTree({ Dockerfile, "app.py": "x", "src/a.py": "x", "requirements.txt": "x" });
  const { config, notTaken } = importDockerfile({
    file: join(root, "Dockerfile"),
    name: "app",
    directory: root,
  });
  const tables = { defaults: CONFIG_TABLE, functions: FUNCTION_TABLE };
  parseConfig(JSON.stringify(config), "lambda-pack.jsonc", tables);
  return { settings: config.functions["app"], notTaken: notTaken.map((line) => line.replace(root, "")) };
}

const PYTHON = "FROM public.ecr.aws/lambda/python:3.13";

describe("importDockerfile", () => {
  it("says base, command, environment and dependencies in settings that a build takes", () => {
    const { settings, notTaken } = imported(`${PYTHON}
LABEL team=core
ENV MODE=prod
COPY requirements.txt .
RUN pip install -r requirements.txt
COPY app.py \${LAMBDA_TASK_ROOT}
COPY src \${LAMBDA_TASK_ROOT}/src
CMD ["app.handler"]`);
    assert.deepEqual(settings, {
      ...{ directory: ".", exclude: ["**", "!requirements.txt", "!app.py", "!src"] },
      ...{
        base: "python:3.13",
        handler: "app.handler",
        env: { MODE: "prod" },
        label: { team: "core" },
        install: "auto",
      },
    });
    assert.deepEqual(notTaken, []);
  });

  it("takes the directory whose contents are the function", () => {
    const { settings } = imported(
      'FROM --platform=linux/arm64 debian:12\nCOPY src/ /var/task\nENTRYPOINT ["/run"]\nCMD ["a", "b"]',
    );
    assert.deepEqual(settings, {
      directory: "src",
      base: "debian:12",
      arch: "arm64",
      cmd: ["a", "b"],
      entrypoint: ["/run"],
    });
  });

  it("lists every line that settings do not say", () => {
    const { settings, notTaken } = imported(`${PYTHON}
RUN dnf install -y gcc
COPY src ./
COPY --from=example.com/adapter:1 /adapter /opt/extensions/adapter
RUN chmod +x app.py
USER app
COPY . .`);
    assert.deepEqual(settings, { directory: ".", base: "python:3.13" });
    assert.deepEqual(
      notTaken.map((line) => line.slice(0, 28)),
      [
        "/Dockerfile:2: RUN dnf insta",
        "/Dockerfile:4: COPY /adapter",
        "/Dockerfile:5: chmod /var/tas",
        "/Dockerfile:3: COPY src to /v",
        "/Dockerfile:6: USER has no ef",
      ].map((line) => line.slice(0, 28)),
    );
  });

  it("refuses a file that is not there", () => {
    assert.throws(() => importDockerfile({ file: "none/Dockerfile" }), { code: "FILE_UNREADABLE" });
  });
});
