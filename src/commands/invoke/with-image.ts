import { realpathSync } from "node:fs";
import { Session } from "../../session/session.ts";
import { buildImage } from "../build/build.ts";
import { type BuildPlan, parseBuildOptions } from "../build/plan.ts";
import { type ImageToRun, imageFunction, pullToRun, type UnpackedFunction } from "../local/image.ts";
import type { InvokeTarget } from "./options.ts";

/** A target that is an image, or has to be built into one. */
type ImageTarget = Exclude<InvokeTarget, { kind: "directory" }>;

/**
 * Builds or pulls an image, unpacks it and calls `use` with its function. The files are removed
 * afterwards.
 * @throws what building, pulling and unpacking throw
 */
export async function withImageFunction<T>(
  target: ImageTarget,
  use: (unpacked: UnpackedFunction) => Promise<T>,
): Promise<T> {
  const find = finderOf(target);
  return Session.run(target.session, async (session) => {
    const unpacked = await imageFunction(await find(session), target, session);
    try {
      return await use(unpacked);
    } finally {
      unpacked.close();
    }
  });
}

/** Checks the options before a session is opened. */
function finderOf(target: ImageTarget): (session: Session) => Promise<ImageToRun> {
  if (target.kind === "image") return (session) => pullToRun(target.source, session);
  const plan = parseBuildOptions(target.build);
  return (session) => builtImage(plan, session);
}

async function builtImage(plan: BuildPlan, session: Session): Promise<ImageToRun> {
  const { image } = await buildImage(plan, session);
  const { directory } = plan.source;
  return { image, reference: directory, path: realpathSync(directory) };
}
