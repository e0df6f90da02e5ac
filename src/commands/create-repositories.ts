import { ensureRepository } from "../aws/ecr/repositories.ts";
import { parseRepositoryUri } from "../aws/ecr/repository-name.ts";
import type { Session } from "../session/session.ts";
import type { Target } from "../session/target.ts";
import { withAws } from "./aws-session.ts";

/** Afterwards the repository of every target in a private ECR registry exists; other targets need none. @throws USAGE where there is none of them. */
export async function createRepositories(targets: readonly Target[], session: Session): Promise<void> {
  const { environment, emit: onEvent, signal } = session;
  const names = targets.flatMap(({ endpoint }) =>
    endpoint.kind === "registry"
      ? [parseRepositoryUri(`${endpoint.reference.registry}/${endpoint.reference.repository}`) ?? []].flat()
      : [],
  );
  await withAws({ environment, onEvent, signal }, async (api) => {
    for (const name of names) {
      const { facts, created } = await ensureRepository(api, name, {});
      onEvent({ type: "repository-ready", uri: facts.uri, created });
    }
  });
}
