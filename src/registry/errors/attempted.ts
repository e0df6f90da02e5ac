import type { RegistryAnswer } from "../../errors.ts";
import type { RegistryTraits } from "../traits.ts";

/** A step of the protocol, as messages name it. */
export type Action =
  | "read the manifest"
  | "write the manifest"
  | "check the blob"
  | "read the blob"
  | "start an upload"
  | "send the blob"
  | "finish the blob";

/** What was attempted when an error occurred. */
export interface Attempted {
  readonly action: Action;
  /** The tag or digest. */
  readonly subject: string;
  /** `registry/repository`. */
  readonly name: string;
  readonly registry: RegistryTraits["name"];
  /** Host and port at which the registry is reached. */
  readonly at: string;
  /** Where the credentials that were sent come from; undefined: none were sent. */
  readonly credentialsFrom?: string | undefined;
}

/** The parts of a refusal's message: the answer, and the host that sent it. */
export interface RefusalFacts extends RegistryAnswer {
  readonly host: string;
  /** The body of the answer if it is not an error document. */
  readonly text: string;
}

/** Returns a sentence such as `cannot write the manifest v1 of host/app`. */
export function sentence({ action, subject, name }: Attempted): string {
  return `cannot ${action} ${subject} of ${name}`;
}
