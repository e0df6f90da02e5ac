import { measureUsage } from "../../rootfs/usage.ts";
import { pullUnchanged } from "../../session/pull.ts";
import { Session } from "../../session/session.ts";
import { warnOfNoEffectOnImages } from "../options/no-effect.ts";
import { describe } from "./describe.ts";
import { INSPECT_OPTIONS, type Inspection, type InspectOptions, parseInspectOptions } from "./inspection.ts";

/**
 * Describes an image: its config, its layers, its files by size, and what each layer adds, hides
 * and wastes. Nothing is unpacked or changed. A damaged layer is reported in the result.
 * @throws {@link LambdaPackError} if the image does not exist, or its manifest or config cannot be
 * read
 */
export async function inspect(options: InspectOptions): Promise<Inspection> {
  const { session: sessionPlan, source, platform, files } = parseInspectOptions(options);
  return Session.run(sessionPlan, async (session) => {
    warnOfNoEffectOnImages([source], INSPECT_OPTIONS, options, session.emit);
    const pulled = await pullUnchanged(source, platform, session);
    const inspection = describe(pulled);
    if (!files) return inspection;
    const usage = await measureUsage(pulled.image.layers, session.signal);
    const layers = inspection.layers.map((layer, index) => {
      const contents = usage.layers[index];
      return { ...layer, ...(contents && { contents }) };
    });
    return { ...inspection, layers, contents: usage.contents };
  });
}
