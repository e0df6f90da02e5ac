import { formatPlatform } from "../../oci/platform.ts";
import { pull } from "../../session/pull.ts";
import { Session } from "../../session/session.ts";
import { type PushOptions, parsePushOptions } from "./options.ts";
import { pushImage } from "./push-image.ts";
import { layerReports, type PushResult, statsOf } from "./result.ts";

/**
 * Copies an image from any source to any destinations. What a destination already has is neither
 * read nor sent; its manifest comes last.
 * @throws {@link LambdaPackError}; then each destination names the whole image or what it named before.
 */
export async function push(options: PushOptions): Promise<PushResult> {
  const plan = parsePushOptions(options);
  return Session.run(plan.session, async (session) => {
    const { image } = await pull(plan.source, plan.platform, session);
    const destinations = await pushImage(image, plan.destinations, session);
    return {
      digest: image.manifest.descriptor.digest,
      reference: destinations[0]?.reference ?? "",
      destinations,
      platform: formatPlatform(image.settings),
      layers: layerReports(image, []),
      stats: statsOf([], session),
    };
  });
}
