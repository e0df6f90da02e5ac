import { randomUUID } from "node:crypto";
import { type Exchange, problem, type Reply } from "../http/wire.ts";
import type { EcrState, Place } from "../state.ts";

/** One upload: what was received so far. */
export interface Session {
  readonly id: string;
  readonly repository: string;
  readonly chunks: Buffer[];
  /** Bytes received. */
  size: number;
  /** Lengths of the PATCHes that came whole. */
  readonly parts: number[];
  /** Q6: where the first PATCH ended. */
  firstBoundary: number | undefined;
  /** Requests answered after the POST. */
  requests: number;
}

/** The upload sessions of one registry origin: bookkeeping only, answers are in uploads.ts. */
export class Sessions {
  readonly #sessions = new Map<string, Session>();

  /** How many are open: an aborted push leaves none. */
  get open(): number {
    return this.#sessions.size;
  }

  /** Q12: every open session is gone. */
  expireAll(): void {
    this.#sessions.clear();
  }

  start(repository: string): Session {
    const session: Session = {
      id: randomUUID(),
      repository,
      chunks: [],
      size: 0,
      parts: [],
      firstBoundary: undefined,
      requests: 0,
    };
    this.#sessions.set(session.id, session);
    return session;
  }

  end({ id }: Session): void {
    this.#sessions.delete(id);
  }

  /** Counts as one request of the session. `undefined`: no such session (any more). */
  use(id: string, repository: string, limit: number): Session | undefined {
    const session = this.#sessions.get(id);
    if (!session || session.repository !== repository) return undefined;
    session.requests += 1;
    if (session.requests <= limit) return session;
    this.#sessions.delete(id);
    return undefined;
  }
}

export function append(session: Session, bytes: Buffer): void {
  session.chunks.push(bytes);
  session.size += bytes.length;
}

export function unknownUpload({ registry, repository }: Place, id: string): Reply {
  const where = `the repository with name '${repository.name}' in the registry with id '${registry.account}'`;
  return problem(404, "BLOB_UPLOAD_UNKNOWN", `The upload with id '${id}' in ${where} does not exist`);
}

/** Q13. */
export function locationOf(state: EcrState, { url }: Exchange, session: Session): string {
  const path = `/v2/${session.repository}/blobs/uploads/${session.id}`;
  switch (state.quirks.location) {
    case "relative":
      return path;
    case "query":
      return `${url.origin}${path}?_state=${encodeURIComponent(stateOf(session))}`;
    case "other-host":
      return `${url.protocol}//${state.uploadHost()}${path}`;
    case "private-address":
      return `${url.protocol}//169.254.169.254${path}`;
    case "absolute":
      return `${url.origin}${path}`;
  }
}

/** Q13 `query`: only the newest Location is good (distribution encodes the offset in `_state`). */
export function isNewestLocation(state: EcrState, { url }: Exchange, session: Session): boolean {
  return state.quirks.location !== "query" || url.searchParams.get("_state") === stateOf(session);
}

/** With characters that must survive being parsed and written again. */
function stateOf({ id, size }: Session): string {
  return `${Buffer.from(`${id}+${size}`).toString("base64")}/+=`;
}
