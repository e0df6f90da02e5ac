import { createInterface } from "node:readline/promises";

/** A terminal at which the user can be asked. */
export interface Terminal {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
}

/**
 * Returns the terminal of this process; undefined in a pipeline or a CI job. It writes to stderr,
 * because stdout carries the result.
 */
export function terminalOf(): Terminal | undefined {
  const { stdin: input, stderr: output } = process;
  return input.isTTY && output.isTTY ? { input, output } : undefined;
}

/** Asks for the code of the MFA device `serial`. Returns an empty code if the input ends. */
export async function askMfaCode(serial: string, { input, output }: Terminal): Promise<string> {
  const lines = createInterface({ input, output });
  const ended = new Promise<string>((resolve) => lines.once("close", () => resolve("")));
  try {
    return (await Promise.race([lines.question(`\nMFA code of ${serial}: `), ended])).trim();
  } finally {
    lines.close();
  }
}
