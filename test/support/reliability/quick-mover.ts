import type { Content } from "../../../src/oci/content.ts";
import { bytesOf, type TestPacing, testPacing } from "../registry/repository.ts";
import type { FaultKind } from "./faults/fault-kind.ts";
import { sha256 } from "./image.ts";
import type { Mover, Run } from "./play.ts";
import { openQuick, pullQuick, sendQuick } from "./quick.ts";

/** Moves through repositories that do not really wait: what a run costs is the waits that were asked for. */
export function quickMover(pacing: TestPacing = testPacing()): Mover {
  return {
    now: () => pacing.waits.reduce((sum, ms) => sum + ms, 0),
    quirks: { minimumPart: 0 },
    async move({ work, fault }, { stage, image, onEvent }) {
      const repository = openQuick(stage, "app", work, { onEvent, pacing, impatient: isSilent(fault) });
      try {
        if (work === "pull") await pullQuick(repository, image, onEvent);
        else await sendQuick(repository, work === "mount" ? fromBase(image, stage.host) : image);
      } finally {
        await repository.close();
      }
    },
    damaged: async ({ work }, run) => (work === "pull" ? [] : damagedIn(work, run, pacing)),
  };
}

/** Whether a fault is one of a server that says nothing, or next to nothing. */
export function isSilent(fault: FaultKind["fault"] | undefined): boolean {
  if (fault === undefined || typeof fault === "function") return false;
  return (
    fault.do === "stall" || fault.do === "trickle" || (fault.do === "tunnel" && fault.fault.do === "hang")
  );
}

function fromBase(image: Run["image"], registry: string): Run["image"] {
  const moved = (content: Content): Content => ({ ...content, origin: { registry, repository: "base" } });
  return { ...image, layers: image.layers.map(moved) };
}

/** What the registry holds now, read again by a client of its own. */
async function damagedIn(
  work: FaultKind["work"],
  { stage, image }: Run,
  pacing: TestPacing,
): Promise<readonly string[]> {
  const repository = openQuick(stage, "app", work, { onEvent: () => {}, pacing });
  try {
    const { manifest, config, layers } = await repository.pull("v1", { os: "linux", architecture: "amd64" });
    if (manifest.descriptor.digest !== image.manifest.descriptor.digest) return [manifest.descriptor.digest];
    const damaged: string[] = [];
    for (const blob of [config, ...layers]) {
      if (sha256(await bytesOf(blob)) !== blob.descriptor.digest) damaged.push(blob.descriptor.digest);
    }
    return damaged;
  } finally {
    await repository.close();
  }
}
