import { parseEcrHost } from "../../aws/ecr/ecr-host.ts";
import { LambdaPackError } from "../../errors.ts";
import type { Reference } from "../../oci/reference.ts";
import { type Endpoint, parseEndpoint } from "../../session/image-location.ts";
import type { BuildOptions } from "../../session/options.ts";
import type { Session } from "../../session/session.ts";
import type { Target } from "../../session/target.ts";

/** An image that may be the previous one, and whether the user named it. */
export interface Candidate {
  readonly endpoint: Endpoint;
  readonly named: boolean;
}

/**
 * For each destination the images that may be the previous one there, in the order in which they are tried: that with the same tag; then, as many
 * give each commit a tag of its own, the one that was pushed last, which only ECR can tell, or `latest`. An image that is named stands for all.
 */
export function candidatesOf(
  { reuseFrom }: Pick<BuildOptions, "reuseFrom">,
  targets: readonly Target[],
  session: Session,
): readonly AsyncIterable<Candidate>[] {
  if (reuseFrom !== undefined) return [only({ endpoint: parseEndpoint(reuseFrom), named: true })];
  return targets.flatMap(({ endpoint, tags: [tag = "latest"] }) =>
    endpoint.kind === "registry" ? [inRegistry({ ...endpoint.reference, tag }, session)] : [],
  );
}

async function* only(candidate: Candidate): AsyncIterable<Candidate> {
  yield candidate;
}

async function* inRegistry(reference: Reference, session: Session): AsyncIterable<Candidate> {
  yield { endpoint: { kind: "registry", reference }, named: false };
  const tag = parseEcrHost(reference.registry) ? await newestOnEcr(reference, session) : "latest";
  if (tag === undefined || tag === reference.tag) return;
  yield { endpoint: { kind: "registry", reference: { ...reference, tag } }, named: false };
}

/** Whoever may push may not always list: then there is none. */
async function newestOnEcr(reference: Reference, session: Session): Promise<string | undefined> {
  const { environment, signal } = session;
  const { registry, repository: name } = reference;
  const host = parseEcrHost(registry);
  if (!host) return undefined;
  const { AwsApi } = await import("../../aws/api.ts");
  const { newestTag } = await import("../../aws/ecr/newest.ts");
  try {
    return await AwsApi.run({ environment, signal }, (api) => newestTag(api, { ...host, name }));
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof LambdaPackError) return undefined;
    throw error;
  }
}
