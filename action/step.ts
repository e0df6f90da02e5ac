import { appendFile } from "node:fs/promises";
import { exitStatus } from "../src/cli/exit.ts";
import { failureOf } from "../src/cli/failure.ts";
import { type Api, type Io, write } from "../src/cli/io.ts";
import { main } from "../src/cli/main.ts";
import { reportError } from "../src/cli/report/problem.ts";
import { annotationLine, outputLine } from "../src/cli/text/format.ts";
import type { BuildEvent, BuildResult, OnEvent } from "../src/index.ts";
import { cacheDirectory, restoreCache } from "./cache.ts";
import { commandLine, inputFlags } from "./inputs.ts";
import { summaryOf } from "./summary.ts";

/** Runs `build` with the inputs of the step. Returns the exit status; never throws. */
export async function runStep(io: Io): Promise<number> {
  const { environment } = io;
  const recorder = record();
  try {
    const argv = commandLine(await inputFlags(), environment);
    const cache = await restoreCache(environment, (message) => void warn(message, io));
    await writeOutput("cache-dir", cacheDirectory(environment), io);
    const status = await main(argv, { ...io, load: async () => recorder.wrap(await io.load()) });
    const { result, events } = recorder.outcome();
    // The command itself writes `digest` and `reference`.
    if (status === 0 && result) await writeOutput("image", result.reference, io);
    if (status === 0) await cache?.save(events);
    return status;
  } catch (error) {
    recorder.fail(error);
    await reportError(error, io, { json: false, verbose: false });
    return exitStatus(error);
  } finally {
    await writeSummary(summaryOf(recorder.outcome()), io);
  }
}

async function writeOutput(name: string, value: string, { environment }: Io): Promise<void> {
  const file = environment["GITHUB_OUTPUT"];
  if (file) await appendFile(file, outputLine(name, value));
}

function warn(text: string, { stderr }: Io): Promise<void> {
  return write(stderr, annotationLine({ level: "warning", title: "lambda-pack", text }));
}

/** Without its summary a step has still done its work. */
async function writeSummary(summary: string, io: Io): Promise<void> {
  const file = io.environment["GITHUB_STEP_SUMMARY"];
  if (!file || summary === "") return;
  await appendFile(file, summary).catch((error: unknown) =>
    warn(`the job summary cannot be written: ${failureOf(error).message}`, io),
  );
}

/** Listens to the builds of an API. */
function record() {
  const events: BuildEvent[] = [];
  let result: BuildResult | undefined;
  let failure: string | undefined;
  const fail = (error: unknown): never => {
    failure = failureOf(error).message;
    throw error;
  };
  const listening = <T extends { readonly onEvent?: OnEvent }>(options: T): T => ({
    ...options,
    onEvent: (event) => {
      events.push(event);
      options.onEvent?.(event);
    },
  });
  return {
    fail: (error: unknown) => {
      failure = failureOf(error).message;
    },
    outcome: () => ({ result, events, failure }),
    wrap: (api: Api): Api => ({
      ...api,
      build: async (options) => {
        result = await api.build(listening(options)).catch(fail);
        return result;
      },
      buildFunctions: (options) => api.buildFunctions(listening(options)).catch(fail),
    }),
  };
}
