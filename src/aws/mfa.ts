import { createInterface } from "node:readline/promises";

/** Where a person can be asked. */
export interface Terminal {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
}

/**
 * The terminal of this process; undefined in a pipeline or a CI job. stdout is left to the result.
 */
export function terminalOf(): Terminal | undefined {
  const { stdin: input, stderr: output } = process;
  return input.isTTY && output.isTTY ? { input, output } : undefined;
}

/** Asks for the code that the MFA device `serial` shows. An end of the input is an empty code. */
export async function askMfaCode(serial: string, { input, output }: Terminal): Promise<string> {
  const lines = createInterface({ input, output });
  const ended = new Promise<string>((resolve) => lines.once("close", () => resolve("")));
  try {
    return (await Promise.race([lines.question(`\nMFA code of ${serial}: `), ended])).trim();
  } finally {
    lines.close();
  }
}
