import { appendFile } from "node:fs/promises";
import { writeOutput } from "../blobs/output-file.ts";
import { LambdaPackError } from "../errors.ts";
import type { PushResult } from "../index.ts";
import type { Output } from "./arguments/output-options.ts";
import type { Request } from "./arguments/parse.ts";
import type { Answer } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { DONE, exitStatus, STOPPED } from "./exit.ts";
import { failureOf } from "./failure.ts";
import { type Io, write } from "./io.ts";
import { openReporter } from "./report/open.ts";
import type { Reporter } from "./report/reporter.ts";
import { checkDestination, resultJson } from "./result.ts";
import { isGitHub, jsonLine, logText, outputLine } from "./text/format.ts";

type Run = Extract<Request, { kind: "run" }>;

/** Runs a command, reports its result or error, and returns the exit status. */
export async function run(request: Run, io: Io): Promise<number> {
  const { command, output: flags } = request;
  const { iidfile } = request.given;
  const reporter = await openReporter(command.logs ? withoutLiveLine(flags) : flags, io);
  const interruption = watchSignals(io, reporter.stopping);
  try {
    for (const file of resultFiles(request)) await checkDestination(file);
    const { signal } = interruption;
    const { environment } = io;
    const print = flags.json ? undefined : (chunk: Uint8Array) => write(io.stdout, chunk);
    const context = { environment, signal, onEvent: reporter.event };
    const result = await command.run(withOwnFiles(request), {
      load: io.load,
      context,
      commands: COMMANDS,
      print,
      announce: (line, value) => write(io.stdout, flags.json ? jsonLine(value) : `${line}\n`),
    });
    if ("text" in result) {
      if (result.error !== undefined) reporter.fail(failureOf(result.error));
      // The progress line is removed first, because stdout may be the same terminal.
      reporter.close();
      return await answer(result, flags, io);
    }
    reporter.finish(result);
    await deliver(result, flags, io);
    if (typeof iidfile === "string") await writeOutput(iidfile, result.digest);
    await writeOutputs(result, io.environment);
    return DONE;
  } catch (error) {
    return reportFailure(error, reporter, interruption, command.stopped);
  } finally {
    interruption.close();
    reporter.close();
  }
}

function resultFiles({ given: { iidfile }, output: { metadataFile } }: Run): readonly string[] {
  return [metadataFile, iidfile].filter((file) => typeof file === "string");
}

/** Adds the files of the result to the options of a build, which must not pack them. */
function withOwnFiles(request: Run): Run["given"] {
  const { command, given } = request;
  const ownFiles = resultFiles(request);
  return ownFiles.length > 0 && "ownFiles" in command.options ? { ...given, ownFiles } : given;
}

function withoutLiveLine(flags: Output): Output {
  const { progress } = flags;
  return { ...flags, progress: progress === "auto" || progress === "tty" ? "plain" : progress };
}

async function answer(
  { text, json: value, annotations, status = DONE }: Answer,
  { json, metadataFile, progress }: Output,
  { stdout, stderr, environment }: Io,
): Promise<number> {
  // Formatted only when it is needed: the object of a large image has several MB.
  const object = () => jsonLine(value);
  if (metadataFile !== undefined) await writeOutput(metadataFile, object());
  if (annotations && progress !== "json") await write(stderr, annotations);
  await write(
    stdout,
    json ? object() : logText(text(stdout.columns || COLUMNS_OF_A_PIPE, stdout), environment),
  );
  return status;
}

const COLUMNS_OF_A_PIPE = 100;

async function deliver(result: PushResult, { json, metadataFile }: Output, { stdout }: Io): Promise<void> {
  if (metadataFile !== undefined) await writeOutput(metadataFile, resultJson(result));
  await write(stdout, json ? resultJson(result) : `${result.reference}\n`).catch((cause: unknown) => {
    throw new LambdaPackError("WRITE_FAILED", `stdout cannot be written; the image is ${result.reference}`, {
      cause,
    });
  });
}

/** Sets the outputs `digest` and `reference` of a GitHub Actions step. @throws WRITE_FAILED */
async function writeOutputs(
  { digest, reference }: PushResult,
  environment: Io["environment"],
): Promise<void> {
  const file = environment["GITHUB_OUTPUT"];
  if (!isGitHub(environment) || !file) return;
  const lines = outputLine("digest", digest) + outputLine("reference", reference);
  await appendFile(file, lines).catch((cause: unknown) => {
    throw new LambdaPackError(
      "WRITE_FAILED",
      `GITHUB_OUTPUT ${file} cannot be written; the image is ${reference}`,
      {
        cause,
      },
    );
  });
}

/** Reports an error, unless it is the abort that a signal caused. Returns the exit status. */
function reportFailure(
  error: unknown,
  reporter: Reporter,
  interruption: Interruption,
  outcome: string | undefined,
): number {
  const status = interruption.status();
  const expected = error instanceof LambdaPackError && error.code === "ABORTED";
  if (status === undefined || !expected) reporter.fail(failureOf(error));
  else reporter.stopped(status === STOPPED.SIGINT ? "SIGINT" : "SIGTERM", outcome);
  return status ?? exitStatus(error);
}

type SignalName = keyof typeof STOPPED;

/** The time that stopped work gets to end, so that the process exits within a second. */
const PATIENCE_MS = 700;

interface Interruption {
  readonly signal: AbortSignal;
  /** 130 or 143 after a signal, else undefined. */
  readonly status: () => number | undefined;
  readonly close: () => void;
}

/**
 * Aborts the work on the first SIGINT or SIGTERM. A second signal ends the process, and so does
 * work that does not stop in time.
 */
export function watchSignals(
  { signals, exit }: Pick<Io, "signals" | "exit">,
  onStop: (signal: string) => void,
): Interruption {
  const controller = new AbortController();
  let status: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  const stop = (name: SignalName) => {
    if (status !== undefined) return exit(STOPPED[name]);
    status = STOPPED[name];
    timer = setTimeout(exit, PATIENCE_MS, status);
    onStop(name);
    controller.abort(new LambdaPackError("ABORTED", `stopped by ${name}`));
  };
  const listeners = (Object.keys(STOPPED) as SignalName[]).map((name) => ({
    name,
    listener: () => stop(name),
  }));
  for (const { name, listener } of listeners) signals.on(name, listener);
  return {
    signal: controller.signal,
    status: () => status,
    close: () => {
      clearTimeout(timer);
      for (const { name, listener } of listeners) signals.off(name, listener);
    },
  };
}
