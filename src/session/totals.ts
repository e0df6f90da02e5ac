import type { BuildEvent } from "../events.ts";
import type { Digest } from "../oci/digest.ts";

/**
 * Adds up, from the events of a run, the bytes that went to and came from registries and other
 * media.
 */
export class TransferTotals {
  #sent = 0;
  readonly #received = new Map<Digest, number>();

  record(event: BuildEvent): void {
    if (event.type === "blob-done" && event.how === "uploaded") this.#sent += event.size;
    // Absolute, and from zero again where a download had to be repeated.
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
export type Step = "install" | "collect" | "fingerprint" | "pack" | "send";

/**
 * Adds up how long each step took, in milliseconds. Steps that run at the same time count for each.
 */
export class StepTimes {
  readonly #ms: Record<Step, number> = { install: 0, collect: 0, fingerprint: 0, pack: 0, send: 0 };

  /** Starts measuring a part of the step. Call what it returns when that part has ended. */
  start(step: Step): () => void {
    const startedAt = performance.now();
    return () => {
      this.#ms[step] += performance.now() - startedAt;
    };
  }

  /** Does `work` as a part of the step. */
  async measure<T>(step: Step, work: () => Promise<T>): Promise<T> {
    const stop = this.start(step);
    try {
      return await work();
    } finally {
      stop();
    }
  }

  /** Whole milliseconds of each step so far. */
  rounded(): Readonly<Record<Step, number>> {
    const { install, collect, fingerprint, pack, send } = this.#ms;
    return {
      install: Math.round(install),
      collect: Math.round(collect),
      fingerprint: Math.round(fingerprint),
      pack: Math.round(pack),
      send: Math.round(send),
    };
  }
}
