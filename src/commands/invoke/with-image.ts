import { realpathSync } from "node:fs";
import { LambdaPackError } from "../../errors.ts";
import { Session } from "../../session/session.ts";
import { buildImage } from "../build/build.ts";
import { BUILD_OPTIONS } from "../build/options.ts";
import { type BuildPlan, parseBuildOptions } from "../build/plan.ts";
import { type ImageToRun, imageFunction, pullToRun, type UnpackedFunction } from "../local/image.ts";
import { INVOKE_OPTIONS, type InvokeTarget } from "./options.ts";

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
  const command = { ...plan.command, hasImageOptions: false };
  return (session) => builtImage({ ...plan, command }, session).catch(explainBuildFlags);
}

async function builtImage(plan: BuildPlan, session: Session): Promise<ImageToRun> {
  const { image } = await buildImage(plan, session);
  const { directory } = plan.source;
  return { image, reference: directory, path: realpathSync(directory) };
}

/**
 * Adds the next step to a hint of the build that names flags which `invoke` does not have.
 * @throws the error, with that hint
 */
function explainBuildFlags(error: unknown): never {
  if (!(error instanceof LambdaPackError)) throw error;
  const { code, message, hint = "", cause, answer } = error;
  const missing = [...new Set(hint.match(/(?<![\w-])--[a-z][a-z-]*/g))].filter(isOnlyOfBuild);
  if (missing.length === 0) throw error;
  const next = `invoke has no ${missing.join(", ")}: use lambda-pack build, then invoke its image`;
  throw new LambdaPackError(code, message, { hint: `${hint}; ${next}`, cause, answer });
}

function isOnlyOfBuild(flag: string): boolean {
  const option = flag.slice(2).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return Object.hasOwn(BUILD_OPTIONS, option) && !Object.hasOwn(INVOKE_OPTIONS, option);
}
