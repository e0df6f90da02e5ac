import type { RegistryAnswer } from "../../errors.ts";
import type { RegistryTraits } from "../traits.ts";

/** A step of the protocol, in the words of a message. */
export type Action =
  | "read the manifest"
  | "write the manifest"
  | "check the blob"
  | "read the blob"
  | "start an upload"
  | "send the blob"
  | "finish the blob";

/** What was attempted when an error came. */
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

/** What a refusal is told with: the answer, and the host where it is not the registry's own. */
export interface RefusalFacts extends RegistryAnswer {
  readonly host: string;
  /** Words that are no error document. */
  readonly text: string;
}

/** `cannot write the manifest v1 of host/app`. */
export function sentence({ action, subject, name }: Attempted): string {
  return `cannot ${action} ${subject} of ${name}`;
}
