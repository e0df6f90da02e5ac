import { INVOKE_OPTIONS } from "../../commands/invoke/options.ts";
import { dashed, off, optional } from "../../commands/options/read.ts";
import { text } from "../../commands/options/types.ts";
import { LambdaPackError, misuse } from "../../errors.ts";
import type { InvokeOptions, InvokeResult } from "../../index.ts";
import { configWithoutEffect, selectionOf } from "../arguments/function-options.ts";
import { type Answer, defineCommand } from "../command.ts";
import { EXIT_STATUS } from "../exit.ts";

const { onChunk: _onChunk, event: _event, source: _source, sample, ...LOCAL } = INVOKE_OPTIONS;

export const invoke = defineCommand({
  positionals: [{ option: "source", name: "source", required: false, repeatable: false }],
  options: {
    source: optional(text, `${INVOKE_OPTIONS.source.summary}; or a function of lambda-pack.jsonc`),
    event: optional(
      { ...text, words: { kind: "last", dashes: true, read: ([word]) => word || undefined } },
      "the event: JSON, a file of JSON, or - for standard input",
      { placeholder: "JSON|FILE|-", defaultText: "{}", group: "Event" },
    ),
    sample,
    listSamples: off("list the sample events and run nothing", { group: "Event" }),
    ...LOCAL,
  },
  logs: true,
  stopped: "the function",
  examples: [
    {
      line: `lambda-pack invoke app --event '{"name":"Ada"}'`,
      purpose: "run the function with this machine's Node or Python",
    },
    {
      line: "lambda-pack invoke oci:.lambda-pack/app",
      purpose: "run an image in a sandbox, with its own runtime",
    },
    {
      line: "lambda-pack invoke app --base nodejs:22 --sandbox",
      purpose: "build a directory in memory and run its image",
    },
    { line: "lambda-pack invoke api --bundle", purpose: "bundle a function of lambda-pack.jsonc and run it" },
    { line: "lambda-pack invoke app --sample sqs --timeout 30", purpose: "run it with a message of a queue" },
  ],
  async run({ source: word, event, listSamples, config, ...options }, { load, context, print }) {
    const others = { source: word, event, config, ...options };
    if (listSamples) return sampleList(Object.entries(others).find(([, value]) => value !== undefined)?.[0]);
    if (word === undefined)
      throw misuse("invoke needs <source>", "write lambda-pack invoke DIR, or lambda-pack invoke oci:DIR");
    const isOne = options.base !== undefined || options.file !== undefined;
    const selection = selectionOf({ names: [word], config }, isOne, context.environment);
    if (selection.kind === "one" && config !== undefined) throw configWithoutEffect(word);
    const source = { source: word, ...(selection.kind === "functions" && { config: selection.config }) };
    const value = event === undefined ? {} : { event: await readEvent(event) };
    const streaming: Partial<InvokeOptions> = print === undefined ? {} : { onChunk: print };
    const api = await load();
    const result = await api.invoke({ ...options, ...value, ...streaming, ...source, ...context });
    // With --json, the stack trace is in the object already.
    return answerOf(result, print === undefined ? [] : (result.error?.stackTrace ?? []));
  },
});

const EVENT_HINT = `write JSON, for example --event '{"name":"Ada"}' or --event event.json`;

async function sampleList(other: string | undefined): Promise<Answer> {
  if (other !== undefined)
    throw misuse(
      `--list-samples runs nothing: ${other === "source" ? "<source>" : `--${dashed(other)}`} has no effect`,
      "leave out one of them",
    );
  const { SAMPLES } = await import("../../index.ts");
  const width = Math.max(...SAMPLES.map(({ name }) => name.length));
  return {
    text: () => SAMPLES.map(({ name, summary }) => `${name.padEnd(width)}  ${summary}\n`).join(""),
    json: SAMPLES,
  };
}

/** Reads the event from a word. @throws USAGE if it is neither JSON nor a file of JSON */
async function readEvent(word: string): Promise<unknown> {
  if (word === "-") return parse(await readAll(process.stdin), "standard input");
  const inline = tryParse(word);
  if (inline) return inline.value;
  const { readFile } = await import("node:fs/promises");
  const text = await readFile(word, "utf8").catch(() => {
    if (/^\s*[[{"]/.test(word)) return undefined;
    throw misuse(
      `--event ${JSON.stringify(word.slice(0, 80))} is neither JSON nor a file that can be read`,
      EVENT_HINT,
    );
  });
  return text === undefined ? parse(word, "--event") : parse(text, word);
}

async function parse(text: string, origin: string): Promise<unknown> {
  const parsed = tryParse(text);
  if (parsed) return parsed.value;
  if (text.trim() === "") throw misuse(`there is no event in ${origin}`, "write JSON, for example {}");
  const { jsonMistake } = await import("../../commands/config/parse.ts");
  throw misuse(`the event in ${origin} is not JSON: ${jsonMistake(text)}`, EVENT_HINT);
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

function answerOf(result: InvokeResult, stackTrace: readonly string[]): Answer {
  const { response, error } = result;
  if (!error) return { text: () => (response ? `${response.replace(/\n$/, "")}\n` : ""), json: result };
  const isTimeout = result.outcome === "timeout";
  const code = isTimeout ? "INVOCATION_TIMEOUT" : "INVOCATION_FAILED";
  const hint = isTimeout ? "give it more time with --timeout SECONDS, or make it faster" : undefined;
  const message = `the function failed with ${error.errorType}: ${error.errorMessage}`;
  return {
    text: () => "",
    json: result,
    status: EXIT_STATUS[code],
    error: new LambdaPackError(code, message, { hint }),
    ...(stackTrace.length > 0 && { annotations: `${stackTrace.join("\n")}\n` }),
  };
}
