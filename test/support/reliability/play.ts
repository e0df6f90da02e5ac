import { inspect } from "node:util";
import { LambdaPackError } from "../../../src/errors.ts";
import type { BuildEvent, OnEvent } from "../../../src/events.ts";
import type { Quirks } from "../ecr/quirks.ts";
import type { TestImage } from "../registry/repository.ts";
import type { TroublePlan } from "./faults/connection-faults.ts";
import type { FaultKind, Scene } from "./faults/fault-kind.ts";
import { openStage, type Stage, type StageName } from "./stage.ts";

export type Times = 1 | 2 | typeof Infinity;

/** What became of one run. */
export interface Outcome {
  readonly error: unknown;
  /** Milliseconds, by the clock of who did it. */
  readonly ms: number;
  /** The longest time without an event. */
  readonly silentMs: number;
  /** How often the fault came. */
  readonly fired: number;
  /** A digest that holds other bytes than it names, in what a pull back or the run itself left. */
  readonly damaged: readonly string[];
  /** Secrets in events or the error. */
  readonly leaks: readonly string[];
  /** Requests with an Authorization header where it does not belong. */
  readonly strays: number;
}

export interface Run {
  readonly stage: Stage;
  readonly image: TestImage;
  readonly onEvent: OnEvent;
}

/** Does the work of a kind, once. */
export interface Mover {
  /** What the registry must put up with in its hurry. */
  readonly quirks?: Partial<Quirks>;
  /** Milliseconds, for what the run costs. */
  readonly now: () => number;
  move(kind: Moved, run: Run): Promise<void>;
  /** After a success: digests that hold other bytes than they name, or none. */
  damaged(kind: Moved, run: Run): Promise<readonly string[]>;
}

/** What is moved, and the fault that comes meanwhile, where that is one. */
export type Moved = Pick<FaultKind, "work"> & Partial<Pick<FaultKind, "fault">>;

/**
 * A plain registry takes a blob in one request. There are chunks where something in front of it limits a request's size:
 * nginx's client_max_body_size is 1 MiB unless told otherwise.
 */
const LARGEST_BODY = 1024 * 1024;

/** Plays a kind of fault so many times on a fresh registry, and tells what came of it. */
export function play(
  kind: FaultKind,
  times: Times,
  on: StageName,
  image: TestImage,
  mover: Mover,
): Promise<Outcome> {
  return playWith(kind, on, image, mover, (scene) => planOf(kind, times, scene));
}

/** The same, with whatever plan. */
export async function playWith(
  kind: Moved & Pick<FaultKind, "quirks" | "plain"> & { readonly at?: string },
  on: StageName,
  image: TestImage,
  mover: Mover,
  planFor: (scene: Scene) => TroublePlan,
): Promise<Outcome> {
  const quirks = { ...mover.quirks, ...kind.quirks };
  const plain = { ...(kind.work === "chunks" && { largestBody: LARGEST_BODY }), ...kind.plain };
  const stage = await openStage(on, { quirks, plain, named: kind.at === "look-up" });
  try {
    if (kind.work === "pull") await stage.hold("app", image);
    if (kind.work === "mount") await stage.hold("base", image);
    const plan = planFor({ stage, image });
    let fired = 0;
    stage.play((request) => {
      const fault = plan(request);
      if (fault) fired += 1;
      return fault;
    });
    const watched = await watch(kind, { stage, image }, mover);
    return { ...watched, fired };
  } finally {
    await stage.stop();
  }
}

async function watch(
  kind: Moved,
  scene: Pick<Run, "stage" | "image">,
  mover: Mover,
): Promise<Omit<Outcome, "fired">> {
  const events: BuildEvent[] = [];
  const started = mover.now();
  let last = started;
  let silentMs = 0;
  const sign = () => {
    silentMs = Math.max(silentMs, mover.now() - last);
    last = mover.now();
  };
  const onEvent = (event: BuildEvent) => {
    sign();
    events.push(event);
  };
  const run = { ...scene, onEvent };
  const error = await mover.move(kind, run).then(
    () => undefined,
    (thrown: unknown) => thrown ?? new Error("nothing was thrown"),
  );
  sign();
  const ms = last - started;
  scene.stage.play(() => undefined);
  const damaged = error === undefined ? await mover.damaged(kind, run) : [];
  const said = [JSON.stringify(events), inspect(error, { depth: 12 }), String(error)].join("\n");
  return { error, ms, silentMs, damaged, leaks: scene.stage.leaks(said), strays: scene.stage.strays() };
}

function planOf(kind: FaultKind, times: Times, scene: Scene): TroublePlan {
  const bytesAt = scene.stage.name === "ecr" ? "storage" : "get-blob";
  const at = kind.at === "blob-bytes" ? bytesAt : kind.at;
  const from = kind.from ?? 1;
  let seen = 0;
  return (request) => {
    if (!comesTo(at, request)) return undefined;
    seen += 1;
    if (seen < from || seen >= from + times) return undefined;
    return typeof kind.fault === "function" ? kind.fault(scene, request) : kind.fault;
  };
}

function comesTo(at: string, { kind, path }: Parameters<TroublePlan>[0]): boolean {
  if (at === "mount") return kind === "start-upload" && path.includes("mount=");
  return at === kind;
}

/** What is wrong with an outcome, in words; undefined: it is as it must be. */
export function flawOf(kind: FaultKind, times: Times, outcome: Outcome): string | undefined {
  const { fired, damaged, leaks, strays, silentMs } = outcome;
  if (fired === 0) return "the fault never came";
  if (damaged.length > 0) return `success with wrong bytes: ${damaged.join(", ")}`;
  if (leaks.length > 0) return `${leaks.length} secrets in the output`;
  if (strays > 0) return `${strays} Authorization headers at a wrong host`;
  if (silentMs > 30_000) return `${Math.round(silentMs)} ms without a word`;
  return endFlaw(kind, times, outcome);
}

const TROUBLE = ["REGISTRY_ANSWER", "REGISTRY_UNREACHABLE", "CONTENT_MISMATCH"];
/** On ECR a connection that closes at the start of an upload means that. */
const HANG_UP = "REPOSITORY_NOT_FOUND";

function endFlaw(kind: FaultKind, times: Times, { error, ms }: Outcome): string | undefined {
  if (kind.final !== undefined) return errorFlaw(error, [kind.final], ms, 1000);
  if (error === undefined) return kind.code !== undefined && times === Infinity ? "it ends well" : undefined;
  if (times !== Infinity) return `it fails: ${String(error)}`;
  const codes = kind.code ? [kind.code] : kind.at === "start-upload" ? [...TROUBLE, HANG_UP] : TROUBLE;
  return errorFlaw(error, codes, ms, kind.code === "CREDENTIALS_INVALID" ? 1000 : 60_000);
}

function errorFlaw(
  error: unknown,
  codes: readonly string[],
  ms: number,
  limitMs: number,
): string | undefined {
  if (!(error instanceof LambdaPackError)) return `not an error of ours: ${String(error)}`;
  if (!codes.includes(error.code)) return `${error.code} instead of ${codes.join("|")}: ${error.message}`;
  if (!error.message.includes("app") && !/sha256:|127\.0\.0\.1|dkr\.ecr/.test(error.message))
    return `names no thing: ${error.message}`;
  if (error.hint === undefined) return `says no next step: ${error.message}`;
  return ms > limitMs ? `takes ${Math.round(ms)} ms` : undefined;
}
