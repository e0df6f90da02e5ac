import type { Registry, Repository } from "./content/repositories.ts";
import type { FakeStorage } from "./content/storage.ts";
import type { EcrAction, Quirks } from "./quirks.ts";
import type { Tokens } from "./tokens.ts";

/** What the parts of one fake registry share. */
export interface EcrState {
  readonly mode: "private" | "public";
  readonly quirks: Quirks;
  readonly tokens: Tokens;
  /** Actions that the caller has no permission for (Q3 says how ECR shows it at `POST uploads/`). */
  readonly denied: Set<EcrAction>;
  readonly storage: FakeStorage;
  /** Where clients reach the storage. */
  readonly storageOrigin: () => string;
  /** The host of Q13 `other-host`. */
  readonly uploadHost: () => string;
  /** 0 to 1, the same numbers in each run. */
  readonly random: () => number;
}

/** The place that a request is about. */
export interface Place {
  readonly registry: Registry;
  readonly repository: Repository;
}
