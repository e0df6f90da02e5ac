import type { AwsApi } from "../../../aws/api.ts";
import { getLayerVersion, type LayerVersion } from "../../../aws/functions/functions.ts";
import type { Base } from "../../../base/base.ts";
import { pinLayer } from "../../../base/lock.ts";
import type { LockedLayer } from "../../../base/lock-file.ts";
import { fetchArchive } from "../../../dependencies/installation.ts";
import { type Integrity, parseIntegrity } from "../../../dependencies/integrity.ts";
import { LambdaPackError } from "../../../errors.ts";
import { architectureOf } from "../../../oci/platform.ts";
import { createHttp } from "../../../registry/http/http.ts";
import type { Session } from "../../../session/session.ts";
import { withAws } from "../../aws.ts";
import { type PartContext, refusePart } from "./part.ts";
import type { LambdaLayerPlan } from "./plan.ts";

type VersionPlan = Extract<LambdaLayerPlan, { readonly kind: "version" }>;

/**
 * Returns the path of a layer version's zip in the cache. Calls AWS if the lock lacks the version
 * or the cache lacks its zip. The zip is checked against the SHA-256 from AWS or the lock.
 * @throws COMPOSITION_REFUSED for a layer of another architecture, CONTENT_MISMATCH, OFFLINE,
 * LOCK_REFUSED, and what AWS and the download throw
 */
export async function fetchLayerVersion(
  plan: VersionPlan,
  { base, lock, session }: PartContext,
): Promise<string> {
  const pin = pinLayer(plan.arn, lock);
  const kept = pin.locked && (await session.cache.findPackage(`sha256-${pin.locked.sha256}`));
  if (pin.locked && kept?.file !== undefined) {
    checkFit(plan.arn, pin.locked, base, session);
    return kept.file;
  }
  if (session.offline)
    throw new LambdaPackError("OFFLINE", `the Lambda layer ${plan.arn} is not in the cache`, {
      hint: "run once without --offline and with --lock",
    });
  const { environment, emit: onEvent, signal } = session;
  return withAws({ environment, onEvent, signal }, async (api) => {
    const version = await ask(plan, api);
    const { codeSha256: sha256, architectures, runtimes } = version;
    const found = { sha256, architectures, runtimes };
    await pin.verifyAndRecord(found);
    checkFit(plan.arn, found, base, session);
    return download(plan, version, session);
  });
}

function ask({ name, version, region }: VersionPlan, api: AwsApi): Promise<LayerVersion> {
  return getLayerVersion(api, region, name, version);
}

async function download(plan: VersionPlan, version: LayerVersion, session: Session): Promise<string> {
  const { environment, cache, offline, insecureRegistries, signal, emit: onEvent } = session;
  const http = createHttp({ environment, connections: 1, insecureRegistries });
  try {
    const wanted = {
      name: `the Lambda layer ${plan.arn}`,
      url: new URL(version.location),
      authorizationFor: () => undefined,
      integrity: integrityOf(version.codeSha256, plan.arn),
      signal,
    };
    const { content } = await fetchArchive(wanted, { http, onEvent, cache, offline });
    if (content.file === undefined) throw new Error("the cache keeps archives in files");
    return content.file;
  } finally {
    http.close();
  }
}

function integrityOf(sha256: string, arn: string): Integrity {
  const integrity = parseIntegrity(`sha256-${sha256}`);
  if (integrity) return integrity;
  throw new LambdaPackError(
    "CONTENT_MISMATCH",
    `the SHA-256 of ${arn} is ${JSON.stringify(sha256.slice(0, 80))}`,
    {
      hint: "run again; if the error persists, name another version of the layer",
    },
  );
}

/**
 * Refuses another architecture and warns of another runtime, as Lambda enforces only the former.
 */
function checkFit(arn: string, { architectures, runtimes }: LockedLayer, base: Base, session: Session): void {
  const architecture = architectureOf(base.image.settings);
  if (architecture && architectures.length > 0 && !architectures.includes(architecture))
    throw refusePart(
      `the Lambda layer ${arn} is for ${architectures.join(", ")}, and the image is for ${architecture}`,
      `name the layer for ${architecture}, or build with --arch ${architectures[0]}`,
    );
  const runtime = base.facts?.runtime;
  if (runtime === undefined || runtimes.length === 0 || runtimes.includes(runtime)) return;
  session.emit({
    type: "warning",
    message: `the Lambda layer ${arn} is for ${runtimes.join(", ")}, and the base is ${runtime}`,
    hint: "name a version of the layer that is for this runtime, if there is one",
  });
}
