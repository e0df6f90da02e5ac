import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { push } from "../../../src/commands/push/push.ts";
import { LambdaPackError } from "../../../src/errors.ts";
import type { BuildEvent } from "../../../src/events.ts";
import type { PushResult } from "../../../src/index.ts";
import { flaky } from "../ecr/http/faults.ts";
import type { TestImage } from "../registry/repository.ts";
import { layOut, seededImage, sha256 } from "./image.ts";
import { plainer } from "./soup.ts";
import { openStage, type Stage, type StageName, type StageOptions } from "./stage.ts";

/** What cannot be told as one fault of one request: it has a row of the list of failure modes, and ends well. */
export interface Scene {
  readonly row: string;
  readonly name: string;
  readonly options?: StageOptions;
  readonly only?: StageName;
  /** What is wrong with the end, in words; undefined: it is as it must be. */
  readonly flaw: (at: Place) => Promise<string | undefined>;
}

interface Place {
  readonly stage: Stage;
  readonly image: TestImage;
  /** Of the image. */
  readonly layout: string;
  readonly directory: string;
}

const KB = 1000;
const image = seededImage("scenes", 60 * KB, 70 * KB, 80 * KB, 90 * KB);

const TOGETHER: readonly Scene[] = [2, 8].flatMap((count) => [
  { row: "33", name: `${count} pushes of the same image at once`, flaw: together(count) },
  {
    ...{ row: "33", name: `${count} pushes of the same image at once, and one request in ten fails` },
    flaw: (place: Place) => {
      const chance = flaky({ probability: 0.1, seed: count });
      place.stage.play((request) => {
        const fault = chance(request);
        return place.stage.name === "plain" ? plainer(fault) : fault;
      });
      return together(count)(place);
    },
  },
  {
    ...{ row: "33", name: `${count} pushes of the same image at once under an immutable tag` },
    options: { quirks: { immutableTags: true }, plain: { immutableTags: true } },
    flaw: together(count),
  },
]);

export const SCENES: readonly Scene[] = [
  ...TOGETHER,
  {
    row: "31",
    name: "the tag is immutable and names this image already",
    flaw: againImmutable,
    ...immutable(),
  },
  {
    row: "32",
    name: "stopped after two layers, and run again: no finished blob is sent again",
    flaw: stopped,
  },
];

/** Plays a scene on a fresh registry. */
export async function playScene({ options = {}, flaw }: Scene, on: StageName): Promise<string | undefined> {
  const directory = mkdtempSync(join(tmpdir(), "lambda-pack-scene-"));
  const stage = await openStage(on, options);
  try {
    const layout = await layOut(directory, image);
    return (await flaw({ stage, image, layout, directory })) ?? (await secretFlaw(stage));
  } catch (error) {
    return `it fails: ${inspect(error, { depth: 1 })}`;
  } finally {
    await stage.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function secretFlaw(stage: Stage): Promise<string | undefined> {
  return stage.strays() > 0 ? `${stage.strays()} Authorization headers at a wrong host` : undefined;
}

function immutable(): Pick<Scene, "options"> {
  return { options: { quirks: { immutableTags: true }, plain: { immutableTags: true } } };
}

function pushed(
  { stage, layout }: Place,
  onEvent?: (event: BuildEvent) => void,
  signal?: AbortSignal,
): Promise<PushResult> {
  return push({
    ...{
      source: `oci:${layout}:v1`,
      to: `${stage.host}/app:v1`,
      environment: stage.environment,
      cache: false,
    },
    ...{ jobs: 1, ...(onEvent && { onEvent }), ...(signal && { signal }) },
  });
}

function together(count: number): Scene["flaw"] {
  return async (place) => {
    const all = await Promise.all(Array.from({ length: count }, () => pushed(place)));
    const digests = new Set(all.map(({ digest }) => digest));
    if (digests.size !== 1 || !digests.has(image.manifest.descriptor.digest))
      return `${digests.size} digests`;
    return contentFlaw(place);
  };
}

/** The registry's content, read by a push of its own and hashed by nothing of the product. */
async function contentFlaw({ stage, directory }: Place): Promise<string | undefined> {
  stage.play(() => undefined);
  const back = join(directory, "back");
  await push({
    ...{ source: `${stage.host}/app:v1`, to: `oci:${back}:v1`, environment: stage.environment, cache: false },
  });
  const wrong = [image.manifest, image.config, ...image.layers].filter(({ descriptor: { digest } }) => {
    return sha256(readFileSync(join(back, "blobs", digest.replace(":", "/")))) !== digest;
  });
  return wrong.length > 0 ? `wrong bytes in ${wrong.length} blobs` : undefined;
}

async function againImmutable(place: Place): Promise<string | undefined> {
  await pushed(place);
  const before = place.stage.received();
  await pushed(place);
  return place.stage.received() > before ? "blobs were sent again" : undefined;
}

async function stopped(place: Place): Promise<string | undefined> {
  const stop = new AbortController();
  const done: number[] = [];
  const onEvent = (event: BuildEvent) => {
    if (event.type !== "blob-done" || event.how !== "uploaded") return;
    done.push(event.size);
    if (done.length === 2) stop.abort();
  };
  const error: unknown = await pushed(place, onEvent, stop.signal).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof LambdaPackError) || error.code !== "ABORTED") return `it ends with ${String(error)}`;
  const sizes: number[] = [];
  await pushed(place, (event) => {
    if (event.type === "blob-done" && event.how === "uploaded") sizes.push(event.size);
  });
  const again = sizes.filter((size) => done.includes(size));
  return again.length > 0 ? `${again.length} finished blobs were sent again` : contentFlaw(place);
}
