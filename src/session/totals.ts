import type { BuildEvent } from "../events.ts";
import type { Digest } from "../oci/digest.ts";

/** Adds up, from a run's events, the bytes sent to and received from registries and files. */
export class TransferTotals {
  #sent = 0;
  readonly #received = new Map<Digest, number>();

  record(event: BuildEvent): void {
    if (event.type === "blob-done" && event.how === "uploaded") this.#sent += event.size;
    // `received` is absolute, and starts again from zero when a download is repeated.
    if (event.type === "download-progress") this.#received.set(event.digest, event.received);
  }

  get sent(): number {
    return this.#sent;
  }

  get received(): number {
    return [...this.#received.values()].reduce((sum, bytes) => sum + bytes, 0);
  }
}

/** The steps of a build that take time. */
export type Step = (typeof STEPS)[number];

const STEPS = ["install", "collect", "fingerprint", "pack", "send"] as const;

/** Adds up how long each step took, in milliseconds. Parallel parts each count in full. */
export class StepTimes {
  readonly #ms: Record<Step, number> = { install: 0, collect: 0, fingerprint: 0, pack: 0, send: 0 };

  /** Starts measuring a part of the step. Call the returned function when that part has ended. */
  start(step: Step): () => void {
    const startedAt = performance.now();
    return () => {
      this.#ms[step] += performance.now() - startedAt;
    };
  }

  /** Runs `work`, and measures it as a part of the step. */
  async measure<T>(step: Step, work: () => Promise<T>): Promise<T> {
    const stop = this.start(step);
    try {
      return await work();
    } finally {
      stop();
    }
  }

  /** Returns the whole milliseconds of each step so far. */
  rounded(): Readonly<Record<Step, number>> {
    const rounded = { ...this.#ms };
    for (const step of STEPS) rounded[step] = Math.round(rounded[step]);
    return rounded;
  }
}
