import { LambdaPackError, type RegistryAnswer } from "../../errors.ts";
import { hostBehindProxy } from "../http/proxy.ts";
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

const NO_SERVER = ["ECONNREFUSED", "ENOTFOUND"];
const PASSING =
  /^(ECONNRESET|EPIPE|ETIMEDOUT|ECONNABORTED|ENETUNREACH|ENETDOWN|EHOSTUNREACH|EAI_AGAIN|ERR_STREAM_PREMATURE_CLOSE|HPE_\w+)$/;

/**
 * Classifies a failure: `absent` where no server was reached, `passing` for other network errors,
 * undefined for everything else.
 */
export function networkTrouble(error: unknown): "absent" | "passing" | undefined {
  const code = systemCode(error) ?? "";
  if (NO_SERVER.includes(code)) return "absent";
  return PASSING.test(code) ? "passing" : undefined;
}

/** Returns the code of a system error; undefined for errors of this project and for an abort. */
export function systemCode(error: unknown): string | undefined {
  if (error instanceof LambdaPackError || !(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was closed",
  EPIPE: "the connection was closed",
  ENOTFOUND: "there is no such host",
  EAI_AGAIN: "the name could not be looked up",
};

/** Returns the error for the user where no answer came, and every other error unchanged. */
export function unreachable(error: unknown, attempted: Attempted): unknown {
  if (!(error instanceof Error) || networkTrouble(error) === undefined) return error;
  const code = systemCode(error) ?? "";
  const host = attempted.name.split("/", 1)[0] ?? "";
  const proxied = hostBehindProxy(error);
  if (proxied !== undefined)
    return new LambdaPackError("REGISTRY_UNREACHABLE", `${sentence(attempted)}: ${error.message}`, {
      hint: `check the proxy that HTTPS_PROXY or HTTP_PROXY names, or name ${proxied} in NO_PROXY to go there directly; running it again is safe`,
      cause: error,
    });
  const hint =
    code === "ETIMEDOUT"
      ? `a registry that is slow rather than down gets more time with --timeout SECONDS (--registry-timeout where that is the function's); otherwise ${CHECK} where ${host} is behind a proxy`
      : `${CHECK} where ${host} is behind a proxy; running it again is safe`;
  return new LambdaPackError(
    "REGISTRY_UNREACHABLE",
    `${sentence(attempted)}: ${WORDS[code] ?? error.message} (${code})`,
    { hint, cause: error },
  );
}

const CHECK = "check the name and the network, and HTTPS_PROXY and NO_PROXY";
