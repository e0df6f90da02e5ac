import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { describeStep, type PlanText, planText } from "../../support/images/dockerfile.ts";

const PYTHON = "FROM public.ecr.aws/lambda/python:3.13";
const NODE = "FROM public.ecr.aws/lambda/nodejs:22";

interface Planned {
  readonly name: string;
  readonly text: string;
  readonly options?: PlanText;
  readonly steps: readonly string[];
  /** What the notes say, in their order. */
  readonly notes?: readonly RegExp[];
}

/** What people write that needs no shell, each with what it comes to. */
const PLANNED: readonly Planned[] = [
  {
    name: "pip install with --target and the usual options",
    text: `${PYTHON}
COPY requirements.txt .
RUN pip3 install --no-cache-dir -U -r requirements.txt --target "\${LAMBDA_TASK_ROOT}" --default-timeout=1000
COPY app.py \${LAMBDA_TASK_ROOT}`,
    steps: [
      "COPY requirements.txt -> /var/task/",
      "pip -r /var/task/requirements.txt -> /var/task",
      "COPY app.py -> /var/task",
    ],
  },
  {
    name: "python -m pip and -t without a space",
    text: `${PYTHON}\nRUN python3.13 -m pip install -r /tmp/r.txt -t/var/task`,
    steps: ["pip -r /tmp/r.txt -> /var/task"],
  },
  {
    name: "an upgrade of pip, which installs nothing that a function runs",
    text: `${PYTHON}\nRUN pip install --upgrade pip && pip install "requests>=2,<3" boto3==1.40.1 uvicorn[standard] -t .`,
    steps: ["pip requests>=2,<3 boto3==1.40.1 uvicorn[standard] -> /var/task"],
    notes: [/^pip is not installed: lambda-pack installs packages without it$/],
  },
  {
    name: "a cache mount and a cache that is removed",
    text: `${PYTHON}
RUN --mount=type=cache,target=/root/.cache/pip \\
    # only for the build
    pip install -r requirements.txt && \\

    rm -rf /root/.cache ~/.cache/pip`,
    steps: ["pip -r /var/task/requirements.txt -> site-packages"],
  },
  {
    name: "poetry without a virtual environment",
    text: `${PYTHON}
RUN pip install poetry==1.8.3
COPY pyproject.toml poetry.lock ./
RUN poetry config virtualenvs.create false && poetry install --only main --no-root --no-interaction --no-ansi`,
    steps: ["COPY pyproject.toml poetry.lock -> /var/task/", "poetry lock in /var/task -> site-packages"],
    notes: [/^poetry==1\.8\.3 is not installed/],
  },
  {
    name: "uv from its image, with an export and an install into the task root",
    text: `${PYTHON}
COPY --from=ghcr.io/astral-sh/uv:0.9 /uv /bin/uv
COPY pyproject.toml uv.lock ./
RUN uv export --frozen --no-dev --no-emit-project -o /tmp/requirements.txt \\
 && uv pip install --target \${LAMBDA_TASK_ROOT} -r /tmp/requirements.txt && rm /tmp/requirements.txt`,
    steps: [
      "COPY pyproject.toml uv.lock -> /var/task/",
      "uv export /var/task -> /tmp/requirements.txt",
      "uv -r /tmp/requirements.txt -> /var/task",
      "rm /tmp/requirements.txt",
    ],
    notes: [/^uv is not copied/],
  },
  {
    name: "uv mounted from its image",
    text: `${PYTHON}\nRUN --mount=from=ghcr.io/astral-sh/uv,source=/uv,target=/bin/uv uv pip install -r r.txt --system --target /var/task`,
    steps: ["uv -r /var/task/r.txt -> /var/task"],
  },
  {
    name: "npm ci without development dependencies",
    text: `${NODE}\nCOPY package*.json ./\nRUN npm ci --omit=dev --no-audit\nCOPY . .`,
    steps: ["COPY package*.json -> /var/task/", "npm lock in /var/task -> /var/task", "COPY . -> /var/task/"],
  },
  {
    name: "NODE_ENV=production, which leaves out development dependencies",
    text: `${NODE}\nENV NODE_ENV=production\nRUN npm ci`,
    steps: ["npm lock in /var/task -> /var/task"],
  },
  {
    name: "NODE_ENV before the command, and cd",
    text: `${NODE}\nRUN cd packages/api && NODE_ENV=production npm install --prefix ./server`,
    steps: ["npm lock in /var/task/packages/api/server -> /var/task/packages/api/server"],
  },
  {
    name: "pnpm with corepack",
    text: `${NODE}\nRUN corepack enable && pnpm install --frozen-lockfile --prod`,
    steps: ["pnpm lock in /var/task -> /var/task"],
  },
  {
    name: "pnpm installed by npm, and yarn",
    text: `${NODE}\nRUN npm install -g pnpm@9\nRUN yarn --production && yarn install --frozen-lockfile && yarn cache clean`,
    steps: ["yarn lock in /var/task -> /var/task", "yarn lock in /var/task -> /var/task with dev"],
    notes: [/^pnpm@9 is not installed/],
  },
  {
    name: "a version of the base as a build argument with a default",
    text: `ARG VERSION=3.12\nFROM public.ecr.aws/lambda/python:\${VERSION}\nCOPY a \${LAMBDA_TASK_ROOT:-/x}/`,
    steps: ["COPY a -> /var/task/"],
  },
  {
    name: "an ARG of the stage that takes its value from --build-arg",
    text: `${PYTHON}\nARG DIR=src\nCOPY \${DIR}/ ./`,
    options: { buildArgs: { DIR: "lib", OTHER: "1" } },
    steps: ["COPY lib/ -> /var/task/"],
    notes: [/^--build-arg OTHER has no effect: no ARG declares it$/],
  },
  {
    name: "ENV, which wins over ARG, and a variable with an alternative",
    text: `${PYTHON}\nARG A=arg\nENV A=env\nARG A=again\nCOPY x \${A}/\${B:-b}/\${A:+set}`,
    steps: ["COPY x -> /var/task/env/b/set"],
    notes: [/^\$\{B\} is not set/],
  },
  {
    name: "stages that the image does not need, whatever their RUN is",
    text: `FROM node:22 AS test\nRUN npm test\n${NODE} AS app\nCOPY . .`,
    steps: ["COPY . -> /var/task/"],
  },
  {
    name: "a target that is not the last stage",
    text: `${NODE} AS app\nCOPY a .\nFROM app AS debug\nRUN dnf install -y gdb`,
    options: { target: "app" },
    steps: ["COPY a -> /var/task/"],
  },
  {
    name: "dependencies that one stage installs and another copies",
    text: `${PYTHON} AS build\nCOPY r.txt .\nRUN pip install -r r.txt -t /asset\n${PYTHON}\nCOPY --from=build /asset /var/task\nCOPY --from=0 /asset/x ./`,
    steps: ["COPY from 0 /asset -> /var/task", "COPY from 0 /asset/x -> /var/task/"],
  },
  {
    name: "the web adapter from its image",
    text: `${PYTHON}\nCOPY --from=public.ecr.aws/awsguru/aws-lambda-adapter:0.9.1 /lambda-adapter /opt/extensions/lambda-adapter\nENV PORT=8000`,
    steps: [
      "COPY from public.ecr.aws/awsguru/aws-lambda-adapter:0.9.1 /lambda-adapter -> /opt/extensions/lambda-adapter",
    ],
  },
  {
    name: "modes and owners",
    text: `${PYTHON}\nCOPY --chown=1000:1000 --chmod=0755 run.sh ./\nCOPY --chmod=600 key ./\nRUN chmod +x run.sh && chmod -R 644 . && chown -R nobody .`,
    steps: [
      "COPY run.sh -> /var/task/ 0755",
      "COPY key -> /var/task/ 0644",
      "chmod executable /var/task/run.sh",
      "chmod -R plain /var/task",
    ],
    notes: [/^--chown has no effect/, /^mode 600 becomes/, /^chown has no effect/],
  },
  {
    name: "instructions without effect in Lambda",
    text: `${NODE}\nUSER node\nEXPOSE 8080\nVOLUME /data\nHEALTHCHECK CMD curl localhost\nSTOPSIGNAL SIGTERM\nMAINTAINER me`,
    steps: [],
    notes: [/^USER/, /^EXPOSE/, /^VOLUME/, /^HEALTHCHECK/, /^STOPSIGNAL/, /^MAINTAINER/],
  },
  {
    name: "JSON forms of COPY and RUN",
    text: `${PYTHON}\nCOPY ["my app.py", "./"]\nRUN ["pip", "install", "-r", "r.txt"]`,
    steps: ["COPY my app.py -> /var/task/", "pip -r /var/task/r.txt -> site-packages"],
  },
  {
    name: "WORKDIR, relative and with a variable",
    text: `${PYTHON}\nWORKDIR $LAMBDA_TASK_ROOT/app\nWORKDIR src\nCOPY a b\nADD c ..`,
    steps: [
      "mkdir /var/task/app",
      "mkdir /var/task/app/src",
      "COPY a -> /var/task/app/src/b",
      "ADD c -> /var/task/app/",
    ],
  },
  {
    name: "Windows line ends, a byte order mark, small letters and an escape directive",
    text: "\ufeff# escape=`\r\nfrom public.ecr.aws/lambda/python:3.13\r\ncopy a `\r\n  b ./\r\n",
    steps: ["COPY a b -> /var/task/"],
  },
];

interface Refused {
  readonly name: string;
  readonly text: string;
  readonly options?: PlanText;
  readonly message: RegExp;
  readonly fix: RegExp;
}

/** What people write that takes a shell or a container, each with the line and what to do. */
const REFUSED: readonly Refused[] = [
  {
    name: "packages of the operating system",
    text: `${PYTHON}\n\nRUN yum install -y gcc && yum clean all`,
    message:
      /^Dockerfile:3: RUN yum install -y gcc && yum clean all: yum is a program that lambda-pack does not run$/,
    fix: /base image/,
  },
  {
    name: "a download",
    text: `${PYTHON}\nRUN curl -L https://x/y -o y`,
    message: /:2: RUN curl/,
    fix: /COPY/,
  },
  {
    name: "a build by npm",
    text: `${NODE}\nRUN npm ci && npm run build`,
    message: /:2: .*npm run runs a program$/,
    fix: /^run npm run build before lambda-pack build, and COPY what it makes$/,
  },
  {
    name: "npm install of a package that no lock file has",
    text: `${NODE}\nRUN npm i sharp`,
    message: /npm install sharp takes a version that no lock file has/,
    fix: /npm ci/,
  },
  {
    name: "a version without quotes, which a shell takes as a redirection",
    text: `${PYTHON}\nRUN pip install requests>=2.0`,
    message: /a redirection \(>\) needs a shell/,
    fix: /quotes/,
  },
  { name: "a pipe", text: `${PYTHON}\nRUN pip install x | tee log`, message: /a pipe/, fix: /./ },
  {
    name: "an alternative",
    text: `${PYTHON}\nRUN pip install x || true`,
    message: /\|\| needs a shell/,
    fix: /./,
  },
  { name: "a semicolon", text: `${PYTHON}\nRUN pip install x; rm y`, message: /a semicolon/, fix: /./ },
  {
    name: "a command substitution",
    text: `${PYTHON}\nRUN pip install $(cat r)`,
    message: /not a plain variable/,
    fix: /./,
  },
  {
    name: "a wheel by pattern",
    text: `${PYTHON}\nRUN pip install dist/*.whl`,
    message: /not the name of a package/,
    fix: /COPY/,
  },
  {
    name: "a platform for pip",
    text: `${PYTHON}\nRUN pip install --platform manylinux2014_x86_64 --only-binary=:all: -r r.txt`,
    message: /--platform has no place here/,
    fix: /leave it out/,
  },
  {
    name: "an option that is not known",
    text: `${PYTHON}\nRUN pip install --find-links=/tmp/wheels x`,
    message: /the option --find-links is not known/,
    fix: /leave --find-links out/,
  },
  {
    name: "poetry with a virtual environment",
    text: `${PYTHON}\nRUN poetry install --no-root`,
    message: /virtual environment/,
    fix: /virtualenvs\.create false/,
  },
  {
    name: "uv sync",
    text: `${PYTHON}\nRUN uv sync --frozen`,
    message: /virtual environment/,
    fix: /uv pip install/,
  },
  {
    name: "bundle",
    text: "FROM public.ecr.aws/lambda/ruby:3.4\nRUN bundle install",
    message: /bundle/,
    fix: /COPY/,
  },
  {
    name: "a heredoc",
    text: `${PYTHON}\nCOPY <<EOF /x\nhi\nEOF`,
    message: /:2: COPY with a heredoc/,
    fix: /COPY that file/,
  },
  {
    name: "ADD of an address",
    text: `${PYTHON}\nADD https://x/y /opt/`,
    message: /fetches from the network/,
    fix: /COPY/,
  },
  {
    name: "COPY --parents",
    text: `${PYTHON}\nCOPY --parents a b/`,
    message: /--parents is not known/,
    fix: /./,
  },
  {
    name: "a variable in --from",
    text: `${PYTHON}\nARG X=a\nCOPY --from=\${X} a b`,
    message: /:3: COPY --from=\$\{X\}/,
    fix: /name the stage/,
  },
  {
    name: "a variable that is not set as the base",
    text: `ARG BASE\nFROM \${BASE}`,
    message: /:2: FROM \$\{BASE\} names no image/,
    fix: /--build-arg/,
  },
  {
    name: "CMD in shell form, which would name the shell as the handler",
    text: `${PYTHON}\nCMD app.handler`,
    message: /:2: CMD app\.handler is in shell form/,
    fix: /^write CMD \["app\.handler"\]$/,
  },
  {
    name: "CMD with single quotes, which is not JSON",
    text: `${PYTHON}\nCMD ['app.handler']`,
    message: /in shell form/,
    fix: /^write CMD \["app\.handler"\]$/,
  },
  {
    name: "an instruction with a slip",
    text: `${PYTHON}\nCOPPY a b`,
    message: /:2: COPPY/,
    fix: /did you mean COPY\?/,
  },
  { name: "a file without FROM", text: "COPY a b", message: /has no FROM/, fix: /FROM public\.ecr\.aws/ },
  {
    name: "a secret mount",
    text: `${NODE}\nRUN --mount=type=secret,id=npm npm ci`,
    message: /needs a container/,
    fix: /COPY/,
  },
];

describe("planDockerfile, shapes that people write", () => {
  for (const { name, text, options, steps, notes = [] } of PLANNED)
    it(`plans ${name}`, () => {
      const plan = planText(text, options);
      assert.deepEqual(plan.final.steps.map(describeStep), steps);
      assert.equal(plan.notes.length, notes.length, JSON.stringify(plan.notes));
      for (const [index, pattern] of notes.entries()) assert.match(plan.notes[index]?.message ?? "", pattern);
    });

  for (const { name, text, options, message, fix } of REFUSED)
    it(`refuses ${name}`, () => {
      assert.throws(() => planText(text, options), { code: "DOCKERFILE_REFUSED", message, hint: fix });
    });

  it("names every line that is refused at once", () => {
    assert.throws(() => planText(`${PYTHON}\nRUN yum install gcc\nRUN pip install -r r.txt\nRUN make`), {
      message: /^Dockerfile:2: RUN yum .*\nDockerfile:4: RUN make: /,
    });
  });

  it("clears the command of the base where ENTRYPOINT is set, and keeps one of its own", () => {
    const none = planText('FROM debian\nENTRYPOINT ["a"]').final.settings;
    assert.deepEqual([none.entrypoint, none.cmd], [["a"], []]);
    const own = planText('FROM debian\nCMD ["b"]\nENTRYPOINT ["a"]').final.settings;
    assert.deepEqual([own.entrypoint, own.cmd], [["a"], ["b"]]);
  });

  it("looks at the command of the stage that becomes the image, not of those before", () => {
    const text = `${NODE} AS build\nCOPY a .\nCMD npm start\n${NODE}\nCOPY --from=build /var/task .\nCMD ["a.b"]`;
    assert.deepEqual(planText(text).final.settings.cmd, ["a.b"]);
  });

  it("writes the shell form as Docker does if nothing takes it as a handler", () => {
    const { final, notes } = planText('FROM debian\nSHELL ["/bin/bash", "-c"]\nCMD ./server --port $PORT');
    assert.deepEqual(final.settings.cmd, ["/bin/bash", "-c", "./server --port $PORT"]);
    assert.match(notes[0]?.message ?? "", /CMD is in shell form: the image runs it through \/bin\/bash -c/);
  });

  it("reads labels and variables with quotes, several in one instruction and the old form", () => {
    const { settings } = planText(
      `${PYTHON}\nENV A="a b" B=c\\ d \\\n  # between\n  C='$A'\nENV D e  f\nENV E=$A-\${D}\nLABEL x="1" "y z"=2`,
    ).final;
    assert.deepEqual(settings.env, { A: "a b", B: "c d", C: "$A", D: "e  f", E: "a b-e  f" });
    assert.deepEqual(settings.labels, { x: "1", "y z": "2" });
  });

  it("names the stages there are where --target is none of them", () => {
    assert.throws(() => planText(`${PYTHON} AS app`, { target: "prod" }), {
      code: "USAGE",
      hint: "its stages are app",
    });
  });
});
