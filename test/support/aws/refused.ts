import assert from "node:assert/strict";
import { it } from "node:test";
import { EXIT_STATUS } from "../../../src/cli/exit.ts";
import type { ErrorCode } from "../../../src/errors.ts";
import type { DocumentedError } from "./documented.ts";
import { failure } from "./stage.ts";

/** The code, and what the hint says, of an exception wherever it comes; `answer`: it is not a failure, but says that there is nothing. */
export type Meaning = readonly [code: ErrorCode, exit: number, hint: RegExp] | "answer";

export interface Refused {
  readonly errors: readonly DocumentedError[];
  /** By the exception's name, or by operation and name where there it means something else. */
  readonly meanings: Readonly<Record<string, Meaning>>;
  /** Makes the call, in a world where it would go well. */
  readonly calls: Readonly<Record<string, () => Promise<unknown>>>;
  /** From now on the operation is refused so. */
  readonly refuse: (error: DocumentedError, message: string) => void;
}

export const BECAUSE = "because of this";

/** A test for each documented way in which each call fails. */
export function itTellsEach({ errors, meanings, calls, refuse }: Refused): void {
  for (const error of errors) {
    const { operation, exception } = error;
    it(`${exception} of ${operation}`, async () => {
      const meaning = meanings[`${operation} ${exception}`] ?? meanings[exception];
      assert.ok(meaning, "no meaning is written down for it");
      refuse(error, BECAUSE);
      const work = callOf(calls, operation)();
      if (meaning === "answer") return void (await work);
      const [code, exit, hint] = meaning;
      const told = await failure(work);
      assert.deepEqual([told.code, EXIT_STATUS[code]], [code, exit]);
      assert.match(told.message, new RegExp(`^AWS (?:refused|failed) to \\w.*: ${exception}: ${BECAUSE}$`));
      assert.match(told.hint, hint);
    });
  }
}

export function callOf(calls: Refused["calls"], operation: string): () => Promise<unknown> {
  const call = calls[operation];
  assert.ok(call, `no test makes the call ${operation}`);
  return call;
}
