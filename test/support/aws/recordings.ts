import { EventEmitter } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { Writable } from "node:stream";
import { main } from "../../../src/cli/main.ts";
import { readAll } from "../../../src/oci/content.ts";
import { lambdaBase } from "../images/base.ts";
import { type AwsWorld, awsWorld } from "./world.ts";

// util.styleText looks at the process, not at where the text goes: the page has no colours.
delete process.env["FORCE_COLOR"];

const ROLE = "arn:aws:iam::123456789012:role/orders";
const DEPLOY = "deploy app --base python:3.12 --function orders";
const MANY = `${DEPLOY} --function billing --repo orders --role ${ROLE} --region eu-west-1 --region us-east-1`;

/** A command of docs/aws.md. */
interface Scene {
  readonly command: string;
  /** What happens before; `run` does a command that is not shown. */
  readonly before?: (world: AwsWorld, run: (command: string) => Promise<unknown>) => unknown;
  /** Ctrl-C comes when this has been written. */
  readonly interrupt?: string;
}

/** In the order of the page; each finds the world as the one before has left it. */
const SCENES: readonly Scene[] = [
  { command: `${DEPLOY} --create-repo --role ${ROLE} --alias live` },
  { command: `${DEPLOY} --create-repo --role ${ROLE} --alias live` },
  { command: `${DEPLOY} --alias live --weight 10% --warm`, before: () => app("Hello") },
  { command: `${DEPLOY} --alias live --dry-run` },
  { command: `${DEPLOY} --alias live`, before: failedUpdate("Good day") },
  {
    command: DEPLOY,
    before: ({ lambda }) => {
      app("Hi");
      lambda.denied.add("lambda:UpdateFunctionCode");
    },
  },
  {
    command: "deploy app --base python:3.12 --function invoices --repo orders",
    before: async ({ lambda }, run) => {
      lambda.denied.clear();
      lambda.outcomes.push({ status: "bad", code: "FunctionError.InvalidEntryPoint" });
      await run(`deploy app --base python:3.12 --function invoices --repo orders --role ${ROLE}`);
      const made = lambda.function("invoices");
      Object.assign(made ?? {}, { urls: [{}], policy: "{}" });
    },
  },
  {
    command: `${DEPLOY} --memory 512`,
    before: ({ lambda }) => void Object.assign(lambda, { looks: 1000 }),
    interrupt: "InProgress",
  },
  {
    command: MANY,
    before: ({ lambda }) => {
      Object.assign(lambda, { looks: 1 });
      const orders = lambda.function("orders");
      if (orders?.pending) orders.pending.looks = 1;
    },
  },
  { command: `${MANY} --create-repo` },
  { command: "repo create shop/orders --expire-untagged 14" },
  { command: "prune orders --keep 0" },
  { command: "repo policy shop/orders --account 210987654321" },
  { command: `repo iam orders --for deploy --function orders --role ${ROLE}` },
  {
    command: "status orders",
    before: async (world, run) => {
      failedUpdate("Good evening")(world);
      await run(DEPLOY);
    },
  },
];

function failedUpdate(text: string): (world: AwsWorld) => void {
  const reason = "MissingParentDirectory: Parent directory does not exist for file: var/task/app.py";
  return ({ lambda }) => {
    app(text);
    lambda.outcomes.push({ status: "bad", code: "InvalidImage", reason });
  };
}

function app(text: string): void {
  mkdirSync("app", { recursive: true });
  writeFileSync("app/app.py", `def handler(event, context):\n    return "${text}"\n`);
}

/** Every command of the page with what it writes, run in a world of its own, as the page has it. Changes the working directory meanwhile. */
export async function recordings(): Promise<readonly string[]> {
  const world = await awsWorld();
  const [home, directory] = [process.cwd(), mkdtempSync(join(tmpdir(), "lambda-pack-recorded-"))];
  process.chdir(directory);
  try {
    await publishPython(world);
    app("Hey");
    const recorded: string[] = [];
    for (const { command, before, interrupt } of SCENES) {
      await before?.(world, (other) => run(world, other));
      recorded.push(await run(world, command, interrupt));
    }
    return recorded;
  } finally {
    process.chdir(home);
    rmSync(directory, { recursive: true, force: true });
    await world.stop();
  }
}

async function publishPython({ public: ecrPublic }: AwsWorld): Promise<void> {
  const repository = ecrPublic.registry().create("lambda/python");
  const image = lambdaBase();
  for (const blob of [image.config, ...image.layers]) repository.addBlob(await readAll(blob));
  const { mediaType } = image.manifest.descriptor;
  repository.addManifest(await readAll(image.manifest), mediaType, "3.12");
}

/** What the command writes, to stdout and stderr as they come. */
async function run({ environment }: AwsWorld, command: string, interrupt?: string): Promise<string> {
  const signals = new EventEmitter();
  const startedAt = performance.now();
  let text = "";
  const screen = new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      text += chunk;
      if (interrupt !== undefined && chunk.includes(interrupt)) setImmediate(() => signals.emit("SIGINT"));
      done();
    },
  });
  const status = await main(command.split(" "), {
    stdout: screen,
    stderr: screen,
    environment,
    signals,
    exit: () => {},
    now: () => performance.now() - startedAt,
    load: () => import("../../../src/cli/api.ts"),
  });
  const end = status === 0 ? "" : `(exit status ${status})\n`;
  return `$ lambda-pack ${command}\n${text}${end}`;
}
