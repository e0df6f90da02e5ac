import { LambdaPackError } from "../../errors.ts";
import type { InvokeOptions, InvokeResult } from "../../index.ts";
import type { Answer, Command, Flags } from "../command.ts";
import { EXIT_STATUS } from "../exit.ts";
import { readFlags, toggle, value } from "../flags.ts";
import { text, wrong } from "../values.ts";
import { INSTALL_FLAG, TRANSFER_FLAGS } from "./common.ts";
import { LOCAL_FLAGS, type LocalFlags, localOptions } from "./local-flags.ts";

interface InvokeFlags extends LocalFlags {
  readonly event: string | undefined;
  readonly sample: string | undefined;
  readonly listSamples: boolean;
  readonly install: InvokeOptions["install"];
  readonly file: string | undefined;
  readonly network: boolean;
  readonly sandbox: boolean;
  readonly noSandbox: boolean;
  readonly cacheDir: string | undefined;
  readonly noCache: boolean;
  readonly offline: boolean;
  readonly insecureRegistry: readonly string[];
}

const { cacheDir, noCache, offline, insecureRegistry } = TRANSFER_FLAGS;

const FLAGS: Flags<InvokeFlags> = {
  event: value(text, {
    placeholder: "JSON|FILE|-",
    summary: "the event: JSON, a file of JSON, or - for standard input",
    defaultText: "{}",
    dashes: true,
  }),
  sample: value(text, {
    placeholder: "NAME",
    summary: "a sample event in its place; --list-samples shows them",
  }),
  listSamples: toggle("show the sample events, and run nothing"),
  install: {
    ...INSTALL_FLAG,
    summary: "of a directory: build it first, with what its lock file names, as build does",
  },
  file: value(text, {
    placeholder: "F",
    summary: "of a directory: build it by this Dockerfile first, as build does",
    short: "f",
  }),
  sandbox: toggle("of a directory: build it on --base first, as build does, and run the image in a sandbox"),
  network: toggle("let the sandbox have this machine's network; it has none otherwise"),
  noSandbox: toggle("of an image: run it with this machine's Node or Python, without a sandbox"),
  ...LOCAL_FLAGS,
  ...{ cacheDir, noCache, offline, insecureRegistry },
};

export const invoke: Command = {
  name: "invoke",
  summary: "run a function once on this machine, without Docker: its result on stdout, its log on stderr",
  positionals: [
    {
      name: "source",
      summary:
        "a directory with a function, or an image: oci:DIR[:tag], oci-archive:FILE, docker-archive:FILE or a registry reference",
      required: false,
      repeatable: false,
    },
  ],
  flags: FLAGS,
  logs: true,
  examples: [
    { line: `lambda-pack invoke app --event '{"name":"Ada"}'`, says: "with this machine's Node or Python" },
    { line: "lambda-pack invoke oci:.lambda-pack/app", says: "an image, in a sandbox, with its own runtime" },
    {
      line: "lambda-pack invoke app --base nodejs:22 --sandbox",
      says: "a directory, built in memory and run as the image that it becomes",
    },
    { line: "lambda-pack invoke app --sample sqs --timeout 30", says: "with a message of a queue" },
  ],
  read: (words, environment) => {
    const [source] = words.positionals;
    const flags = readFlags(FLAGS, words, environment);
    if (flags.listSamples) return listSamples;
    if (flags.sandbox && flags.noSandbox) throw wrong("--sandbox and --no-sandbox exclude each other");
    if (source === undefined)
      throw wrong("the source is missing", "lambda-pack invoke DIR, or lambda-pack invoke oci:DIR");
    const options = { ...localOptions(flags), ...imageOptions(flags) };
    return async (api, context, print) => {
      const event = flags.event === undefined ? {} : { event: await readEvent(flags.event) };
      const sample = flags.sample === undefined ? {} : { sample: flags.sample };
      const streaming: Partial<InvokeOptions> = print === undefined ? {} : { onChunk: print };
      return answerOf(
        await api.invoke({ ...options, ...event, ...sample, ...streaming, source, ...context }),
      );
    };
  },
};

function imageOptions(flags: InvokeFlags): Partial<InvokeOptions> {
  return {
    ...(flags.network && { network: true }),
    ...(flags.sandbox && { sandbox: true }),
    ...(flags.noSandbox && { sandbox: false }),
    ...(flags.install !== undefined && { install: flags.install }),
    ...(flags.file !== undefined && { file: flags.file }),
    cache: !flags.noCache,
    offline: flags.offline,
    insecureRegistries: flags.insecureRegistry,
    ...(flags.cacheDir !== undefined && { cacheDirectory: flags.cacheDir }),
  };
}

async function listSamples(): Promise<Answer> {
  const { SAMPLES } = await import("../../index.ts");
  const width = Math.max(...SAMPLES.map(({ name }) => name.length));
  return {
    text: () => SAMPLES.map(({ name, summary }) => `${name.padEnd(width)}  ${summary}\n`).join(""),
    json: SAMPLES,
  };
}

/** @throws USAGE where it is neither JSON nor a file of JSON */
async function readEvent(word: string): Promise<unknown> {
  if (word === "-") return parse(await readAll(process.stdin), "standard input");
  const inline = tryParse(word);
  if (inline) return inline.value;
  const { readFile } = await import("node:fs/promises");
  const text = await readFile(word, "utf8").catch((cause: unknown) => {
    throw new LambdaPackError(
      "USAGE",
      `--event ${JSON.stringify(word.slice(0, 80))} is neither JSON nor a file`,
      {
        hint: `for example --event '{"name":"Ada"}' or --event event.json`,
        cause,
      },
    );
  });
  return parse(text, word);
}

function parse(text: string, origin: string): unknown {
  const parsed = tryParse(text);
  if (parsed) return parsed.value;
  throw wrong(`the event in ${origin} is not JSON`);
}

function tryParse(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

async function readAll(stream: NodeJS.ReadableStream): Promise<string> {
  const { text: readText } = await import("node:stream/consumers");
  return readText(stream);
}

function answerOf(result: InvokeResult): Answer {
  const { response, error } = result;
  if (!error) return { text: () => (response ? `${response.replace(/\n$/, "")}\n` : ""), json: result };
  const code = result.outcome === "timeout" ? "INVOCATION_TIMEOUT" : "INVOCATION_FAILED";
  const message = `the function failed with ${error.errorType}: ${error.errorMessage}`;
  return {
    text: () => "",
    json: result,
    status: EXIT_STATUS[code],
    error: new LambdaPackError(code, message),
    ...(error.stackTrace.length > 0 && { annotations: `${error.stackTrace.join("\n")}\n` }),
  };
}
