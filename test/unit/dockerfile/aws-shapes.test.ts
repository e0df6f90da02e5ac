import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { describeStep, planText } from "../../support/images/dockerfile.ts";

const ECR = "public.ecr.aws/lambda";

interface Shape {
  readonly name: string;
  readonly text: string;
  readonly base: string;
  readonly steps: readonly string[];
  readonly cmd: readonly string[];
  readonly entrypoint?: readonly string[];
}

/** What AWS's documentation does in each language, in our own words. */
const SHAPES: readonly Shape[] = [
  {
    name: "Python on the AWS base: requirements into the base's Python, the function into the task root",
    text: `FROM ${ECR}/python:3.13
COPY requirements.txt \${LAMBDA_TASK_ROOT}
RUN pip install -r requirements.txt
COPY function.py \${LAMBDA_TASK_ROOT}
CMD [ "function.handler" ]`,
    base: `${ECR}/python:3.13`,
    steps: [
      "COPY requirements.txt -> /var/task",
      "pip -r /var/task/requirements.txt -> site-packages",
      "COPY function.py -> /var/task",
    ],
    cmd: ["function.handler"],
  },
  {
    name: "Python on another base: two stages, with the runtime client installed beside the function",
    text: `ARG FUNCTION_DIR="/function"
FROM python:3.12 AS build-image
ARG FUNCTION_DIR
RUN mkdir -p \${FUNCTION_DIR}
COPY . \${FUNCTION_DIR}
RUN pip install --target \${FUNCTION_DIR} awslambdaric
FROM python:3.12-slim
ARG FUNCTION_DIR
WORKDIR \${FUNCTION_DIR}
COPY --from=build-image \${FUNCTION_DIR} \${FUNCTION_DIR}
ENTRYPOINT [ "/usr/local/bin/python", "-m", "awslambdaric" ]
CMD [ "function.handler" ]`,
    base: "python:3.12-slim",
    steps: ["mkdir /function", "COPY from 0 /function -> /function"],
    cmd: ["function.handler"],
    entrypoint: ["/usr/local/bin/python", "-m", "awslambdaric"],
  },
  {
    name: "Node.js on the AWS base",
    text: `FROM ${ECR}/nodejs:22
COPY index.js package*.json \${LAMBDA_TASK_ROOT}/
RUN npm install
CMD [ "index.handler" ]`,
    base: `${ECR}/nodejs:22`,
    steps: ["COPY index.js package*.json -> /var/task/", "npm lock in /var/task -> /var/task with dev"],
    cmd: ["index.handler"],
  },
  {
    name: "TypeScript that is compiled before: only the output is copied",
    text: `FROM ${ECR}/nodejs:22
WORKDIR /var/task
COPY dist/* ./
CMD ["index.handler"]`,
    base: `${ECR}/nodejs:22`,
    steps: ["mkdir /var/task", "COPY dist/* -> /var/task/"],
    cmd: ["index.handler"],
  },
  {
    name: "Java: classes and their dependencies that Maven or Gradle made",
    text: `FROM ${ECR}/java:21
COPY target/classes \${LAMBDA_TASK_ROOT}
COPY target/dependency/* \${LAMBDA_TASK_ROOT}/lib/
CMD [ "com.example.App::handleRequest" ]`,
    base: `${ECR}/java:21`,
    steps: ["COPY target/classes -> /var/task", "COPY target/dependency/* -> /var/task/lib/"],
    cmd: ["com.example.App::handleRequest"],
  },
  {
    name: ".NET: the published output",
    text: `FROM ${ECR}/dotnet:8 AS base
FROM base
WORKDIR /var/task
COPY "bin/Release/lambda-publish"  .
CMD ["Function::Function.Handler::Run"]`,
    base: `${ECR}/dotnet:8`,
    steps: ["mkdir /var/task", "COPY bin/Release/lambda-publish -> /var/task/"],
    cmd: ["Function::Function.Handler::Run"],
  },
  {
    name: "Go on the OS-only base: a binary that was built before",
    text: `FROM ${ECR}/provided:al2023
COPY main ./main
ENTRYPOINT [ "./main" ]`,
    base: `${ECR}/provided:al2023`,
    steps: ["COPY main -> /var/task/main"],
    cmd: [],
    entrypoint: ["./main"],
  },
  {
    name: "Rust or another custom runtime: bootstrap",
    text: `FROM ${ECR}/provided:al2023-arm64
COPY --chmod=755 bootstrap \${LAMBDA_RUNTIME_DIR}/bootstrap
CMD ["function.handler"]`,
    base: `${ECR}/provided:al2023-arm64`,
    steps: ["COPY bootstrap -> /var/runtime/bootstrap 0755"],
    cmd: ["function.handler"],
  },
];

describe("planDockerfile, shapes of AWS's documentation", () => {
  for (const { name, text, base, steps, cmd, entrypoint } of SHAPES)
    it(`plans ${name}`, () => {
      const { stages, final } = planText(text);
      const [root] = stages.slice(final.base.kind === "stage" ? final.base.stage : -1);
      assert.deepEqual(root?.base, { kind: "image", reference: base });
      assert.deepEqual(final.steps.map(describeStep), steps);
      assert.deepEqual(final.settings.cmd, cmd);
      assert.deepEqual(final.settings.entrypoint, entrypoint);
    });

  it("refuses Ruby's bundle install with the line, the command and what to do", () => {
    const text = `FROM ${ECR}/ruby:3.4
COPY Gemfile Gemfile.lock \${LAMBDA_TASK_ROOT}/
RUN gem install bundler:2.4.20 && \\
    bundle config set --local path 'vendor/bundle' && \\
    bundle install
COPY function.rb \${LAMBDA_TASK_ROOT}/
CMD [ "function.Handler.process" ]`;
    assert.throws(() => planText(text), {
      code: "DOCKERFILE_REFUSED",
      message:
        /^Dockerfile:3: RUN gem install bundler:2\.4\.20 .*: gem is a program that lambda-pack does not run$/,
      hint: "run gem before lambda-pack build, and COPY what it makes",
    });
  });

  it("refuses a Go build stage whose output the image needs", () => {
    const text = `FROM golang:1.23 AS build
WORKDIR /app
COPY go.mod main.go ./
RUN go build -tags lambda.norpc -o main main.go
FROM ${ECR}/provided:al2023
COPY --from=build /app/main ./main
ENTRYPOINT [ "./main" ]`;
    assert.throws(() => planText(text), {
      code: "DOCKERFILE_REFUSED",
      message: /^Dockerfile:4: RUN go build/,
    });
  });
});
