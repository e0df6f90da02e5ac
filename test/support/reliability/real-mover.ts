import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { push } from "../../../src/commands/push/push.ts";
import { filesWithSecrets } from "../cli/secrets.ts";
import type { TestImage } from "../registry/repository.ts";
import type { Work } from "./faults/fault-kind.ts";
import { layOut, sha256 } from "./image.ts";
import type { Mover, Run } from "./play.ts";

/** Moves as a user does: with `push`, its own patience, and a cache that is new each time. */
export function realMover(): Mover & { readonly remove: () => void } {
  const directory = mkdtempSync(join(tmpdir(), "lambda-pack-reliability-"));
  const layouts = new Map<TestImage, Promise<string>>();
  const layoutOf = (image: TestImage): Promise<string> => {
    const made = layouts.get(image) ?? layOut(directory, image);
    layouts.set(image, made);
    return made;
  };
  return {
    now: () => performance.now(),
    async move({ work }, run) {
      const place = mkdtempSync(join(directory, "run-"));
      try {
        try {
          await moveTo(work, run, place, await layoutOf(run.image));
        } finally {
          assertNoSecret(filesWithSecrets(place, run.stage.leaks));
        }
        assertNone(damagedIn(join(place, "cache")));
        if (work === "pull") assertNone(damagedImage(join(place, "out"), run.image));
      } finally {
        rmSync(place, { recursive: true, force: true });
      }
    },
    async damaged({ work }, { stage, image }) {
      if (work === "pull") return [];
      const place = mkdtempSync(join(directory, "back-"));
      try {
        const { environment, host } = stage;
        await push({ source: `${host}/app:v1`, to: `oci:${place}:v1`, environment, cache: false });
        return damagedImage(place, image);
      } finally {
        rmSync(place, { recursive: true, force: true });
      }
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

async function moveTo(work: Work, { stage, onEvent }: Run, place: string, layout: string): Promise<void> {
  const { environment, host } = stage;
  const [source, to] =
    work === "pull"
      ? [`${host}/app:v1`, `oci:${join(place, "out")}:v1`]
      : [work === "mount" ? `${host}/base:v1` : `oci:${layout}:v1`, `${host}/app:v1`];
  await push({ source, to, environment, cacheDir: join(place, "cache"), onEvent });
}

/** Wrong bytes are not failures of the registry's: they must be seen, whatever else went wrong. */
function assertNone(damaged: readonly string[]): void {
  if (damaged.length > 0) throw new Error(`damaged: ${damaged.join(", ")}`);
}

/** What is left on disk, cache and layout, holds no secret, however it ended. */
function assertNoSecret(files: readonly string[]): void {
  if (files.length > 0) throw new Error(`secrets on disk: ${files.join(", ")}`);
}

function damagedImage(layout: string, image: TestImage): readonly string[] {
  const index = readFileSync(join(layout, "index.json"), "utf8");
  const { digest } = image.manifest.descriptor;
  const missing = [image.manifest, image.config, ...image.layers]
    .map(({ descriptor }) => descriptor.digest)
    .filter((each) => !existsSync(join(layout, "blobs", each.replace(":", "/"))));
  return [...(index.includes(digest) ? [] : [digest]), ...missing, ...damagedIn(layout)];
}

function damagedIn(root: string): readonly string[] {
  const blobs = join(root, "blobs", "sha256");
  if (!existsSync(blobs)) return [];
  const isBad = (name: string) => sha256(readFileSync(join(blobs, name))) !== `sha256:${name}`;
  return readdirSync(blobs).filter(isBad);
}
