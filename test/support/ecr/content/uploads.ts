import { type Answer, BodyDropped, type Exchange, problem, type Reply } from "../http/wire.ts";
import type { EcrState, Place } from "../state.ts";
import { sha256 } from "./repositories.ts";
import {
  append,
  isNewestLocation,
  locationOf,
  type Session,
  type Sessions,
  unknownUpload,
} from "./sessions.ts";

/** `POST uploads/`: mounted (Q14), or a new session. */
export function startUpload(state: EcrState, sessions: Sessions, exchange: Exchange, place: Place): Reply {
  const mounted = mount(state, exchange, place);
  if (mounted) return mounted;
  const session = sessions.start(place.repository.name);
  return { status: 202, headers: { ...progress(state, exchange, session), range: "0-0" } };
}

/** Q14: only where a manifest of the other repository names the blob (containers-roadmap#2860). */
function mount(state: EcrState, { url }: Exchange, { registry, repository }: Place): Reply | undefined {
  const digest = url.searchParams.get("mount") ?? "";
  const from = registry.repositories.get(url.searchParams.get("from") ?? "");
  const bytes = from?.blobs.get(digest);
  if (!state.quirks.blobMounting || !bytes || !from?.isReferenced(digest)) return undefined;
  repository.blobs.set(digest, bytes);
  return created(repository.name, digest);
}

/** PATCH, the closing PUT, GET and DELETE of a session. */
export async function continueUpload(
  state: EcrState,
  sessions: Sessions,
  exchange: Exchange,
  place: Place & { readonly id: string },
): Promise<Answer> {
  const session = sessions.use(place.id, place.repository.name, state.quirks.sessionRequests);
  if (!session || !isNewestLocation(state, exchange, session)) return unknownUpload(place, place.id);
  if (exchange.kind === "upload-status") return statusOf(state, exchange, session);
  if (exchange.kind === "cancel-upload") {
    sessions.end(session);
    return { status: 204 };
  }
  const received = await receive(state, sessions, exchange, session);
  if (typeof received !== "number") return received;
  return exchange.kind === "patch"
    ? patched(state, exchange, session, received)
    : close(state, sessions, session, { exchange, place, received });
}

/** Q11. */
function statusOf(state: EcrState, exchange: Exchange, session: Session): Reply {
  const mode = state.quirks.uploadStatus;
  if (mode === "range") return { status: 204, headers: progress(state, exchange, session) };
  return mode === 404
    ? problem(404, "NOT_FOUND", "no such page")
    : problem(405, "UNSUPPORTED", "The operation is unsupported");
}

/** The bytes of a part that came whole and where the session ends; otherwise the answer. */
async function receive(
  state: EcrState,
  sessions: Sessions,
  exchange: Exchange,
  session: Session,
): Promise<number | Answer> {
  const range = /^(\d+)-(\d+)$/.exec(exchange.headers["content-range"] ?? "");
  // What has no readable Content-Range begins at 0 for ECR (makisu#224, apple/containerization#790).
  const first = range ? Number(range[1]) : 0;
  const isEmpty = exchange.headers["content-length"] === "0";
  if (!isEmpty && first !== session.size && state.quirks.wrongOffset !== "append") {
    return wrongOffset(state, exchange, { session, first });
  }
  const offset = session.size;
  const received: Buffer[] = [];
  try {
    for await (const chunk of exchange.body) received.push(chunk);
  } catch (error) {
    if (!(error instanceof BodyDropped)) throw error;
    dropped(state, sessions, session, { bytes: Buffer.concat(received), offset });
    return "hang-up";
  }
  const bytes = Buffer.concat(received);
  // Another request was faster.
  if (session.size !== offset) return wrongOffset(state, exchange, { session, first });
  if (range && Number(range[2]) - first + 1 !== bytes.length) {
    return problem(400, "SIZE_INVALID", `Content-Range ${range[0]} does not fit ${bytes.length} bytes`);
  }
  append(session, bytes);
  return bytes.length;
}

/** Q7. */
function wrongOffset(
  state: EcrState,
  exchange: Exchange,
  { session, first }: { readonly session: Session; readonly first: number },
): Reply {
  return state.quirks.wrongOffset === "message"
    ? problem(
        416,
        "BLOB_UPLOAD_INVALID",
        `First byte of the layer part is ${first} instead of ${session.size}`,
      )
    : problem(416, "RANGE_INVALID", "invalid content range", progress(state, exchange, session));
}

/** Q10. */
function dropped(
  state: EcrState,
  sessions: Sessions,
  session: Session,
  { bytes, offset }: { readonly bytes: Buffer; readonly offset: number },
): void {
  if (state.quirks.droppedBody === "session-dies") sessions.end(session);
  if (state.quirks.droppedBody !== "random-prefix" || session.size !== offset) return;
  append(session, bytes.subarray(0, Math.floor(state.random() * (bytes.length + 1))));
}

/** Q5, Q6. */
function patched(state: EcrState, exchange: Exchange, session: Session, received: number): Reply {
  session.parts.push(received);
  session.firstBoundary ??= session.size;
  return { status: state.quirks.patchStatus, headers: progress(state, exchange, session) };
}

interface Closing {
  readonly exchange: Exchange;
  readonly place: Place;
  readonly received: number;
}

/** The session ends, whatever comes of it. */
function close(state: EcrState, sessions: Sessions, session: Session, closing: Closing): Reply {
  sessions.end(session);
  const { repository } = closing.place;
  const refusal = refused(state, session, closing);
  if (refusal) return refusal;
  const [only, ...more] = session.chunks;
  const bytes = only && more.length === 0 ? only : Buffer.concat(session.chunks);
  const digest = closing.exchange.url.searchParams.get("digest") ?? "";
  if (sha256(bytes) !== digest) return digestMismatch();
  repository.blobs.set(digest, bytes);
  return created(repository.name, digest);
}

/** Q8, Q9 and the upload without any byte (radius#7855). */
function refused(state: EcrState, session: Session, { place, received }: Closing): Reply | undefined {
  const { minimumPart, emptyClosingPut } = state.quirks;
  if (session.size === 0) {
    const where = `the repository with name '${place.repository.name}' in registry with id '${place.registry.account}'`;
    const what = `The upload with id '${session.id}' in ${where} cannot be completed`;
    return problem(400, "BLOB_UPLOAD_INVALID", `${what} because it does not have any parts.`);
  }
  const early = received > 0 ? session.parts : session.parts.slice(0, -1);
  if (early.some((part) => part < minimumPart)) {
    return problem(400, "BLOB_UPLOAD_INVALID", "All layer parts except the last part should be at least 5MB");
  }
  if (received > 0 || session.parts.length < 2 || emptyClosingPut === "accepted") return undefined;
  return emptyClosingPut === 500 ? { status: 500 } : digestMismatch();
}

function digestMismatch(): Reply {
  return problem(
    400,
    "BLOB_UPLOAD_INVALID",
    "None of the provided layer digests match the calculated layer digest",
  );
}

/** Where the session goes on, and (Q6) how far it says it is. */
function progress(state: EcrState, exchange: Exchange, session: Session): Record<string, string> {
  const end = state.quirks.staleRange ? (session.firstBoundary ?? 0) : session.size;
  return {
    location: locationOf(state, exchange, session),
    "docker-upload-uuid": session.id,
    range: `0-${Math.max(0, end - 1)}`,
  };
}

function created(name: string, digest: string): Reply {
  return {
    status: 201,
    headers: { location: `/v2/${name}/blobs/${digest}`, "docker-content-digest": digest },
  };
}
