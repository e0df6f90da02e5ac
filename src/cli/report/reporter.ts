import type { BuildEvent, OnEvent } from "../../events.ts";
import type { PushResult } from "../../index.ts";
import type { Failure } from "../failure.ts";
import type { Io } from "../io.ts";
import { printFailure } from "./problem.ts";

/** The event of one type. */
export type EventOf<T extends BuildEvent["type"]> = Extract<BuildEvent, { readonly type: T }>;

/** Reports progress and errors on stderr. No method throws. */
export interface Reporter {
  readonly event: OnEvent;
  /** A signal came, and the work is being stopped. */
  readonly stopping: (signal: string) => void;
  /** The work that a signal stopped has ended; `outcome` is {@link Command.stopped}. */
  readonly stopped: (signal: string, outcome?: string) => void;
  readonly finish: (result: PushResult) => void;
  readonly fail: (failure: Failure) => void;
  /** Restores the terminal; nothing is written afterwards. */
  readonly close: () => void;
}

/** Prints errors only. */
export function quietReporter(io: Pick<Io, "stderr" | "environment">, verbose: boolean): Reporter {
  const nothing = () => {};
  return {
    ...{ event: nothing, stopping: nothing, stopped: nothing, finish: nothing, close: nothing },
    fail: (failure) => printFailure(failure, io, { verbose }),
  };
}
