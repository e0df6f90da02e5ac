import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { digestOf } from "../../../src/oci/digest.ts";
import { type Answer, problem } from "./answer.ts";
import { Hangup, readAll, type Seen } from "./request.ts";
import type { Storage } from "./storage.ts";

export interface UploadOptions {
  /**
   * What a cut leaves of an upload: `kept` like distribution 3 (the bytes stay, GET tells how many, offsets are checked),
   * `lost` like distribution 2.8 (the session is gone, offsets are not checked). Default kept.
   */
  readonly sessions?: "kept" | "lost";
  /** Sent with the answer to POST. */
  readonly minChunk?: number;
  /** Writes `Location` as an absolute URL. Default false. */
  readonly absoluteLocations?: boolean;
}

interface Upload {
  readonly repository: string;
  bytes: Buffer[];
  size: number;
  /** Bytes at the time of the last Location: distribution 2.8 takes no older one. */
  state: number;
}

/** The uploads of a registry that are not finished, and its answers to their requests. */
export class Uploads {
  readonly open = new Map<string, Upload>();
  readonly #options: UploadOptions;
  readonly #storage: Storage;
  readonly #hostOf: () => string;

  constructor(options: UploadOptions, storage: Storage, hostOf: () => string) {
    this.#options = options;
    this.#storage = storage;
    this.#hostOf = hostOf;
  }

  start(seen: Seen): Answer {
    const from = seen.query.get("from");
    const mounted = from === null ? undefined : this.#storage.blob(from, seen.query.get("mount") ?? "");
    if (mounted) return this.#store(seen.repository, mounted);
    const id = randomUUID();
    this.open.set(id, { repository: seen.repository, bytes: [], size: 0, state: 0 });
    const { minChunk } = this.#options;
    return this.#accepted(
      id,
      202,
      minChunk === undefined ? {} : { "oci-chunk-min-length": String(minChunk) },
    );
  }

  status(seen: Seen): Answer {
    return this.#find(seen, (id) => this.#accepted(id, 204));
  }

  cancel(seen: Seen): Answer {
    return this.#find(seen, (id) => {
      this.open.delete(id);
      return { status: 204 };
    });
  }

  /** Answers a PATCH or the closing PUT; with `cutAt`, the connection ends after that many bytes. */
  async write(request: IncomingMessage, seen: Seen, cutAt: number | undefined): Promise<Answer> {
    const refused = this.#find(seen, (_, { size }) => this.#placed(seen, size));
    const upload = this.open.get(seen.reference);
    if (refused.status !== 200 || !upload) {
      await readAll(request, seen);
      return refused;
    }
    const bytes = await readAll(request, seen, cutAt);
    upload.bytes.push(bytes);
    upload.size += bytes.length;
    if (cutAt !== undefined && cutAt < Number(request.headers["content-length"])) throw new Hangup();
    return seen.kind === "patch upload" ? this.#accepted(seen.reference, 202) : this.#finish(seen, upload);
  }

  #accepted(id: string, status: number, more: Readonly<Record<string, string>> = {}): Answer {
    const upload = this.open.get(id);
    const { repository = "", size = 0 } = upload ?? {};
    if (upload) upload.state = size;
    const path = `/v2/${repository}/blobs/uploads/${id}?_state=${size}`;
    const location = this.#options.absoluteLocations ? `http://${this.#hostOf()}${path}` : path;
    return {
      status,
      headers: { location, range: `0-${Math.max(0, size - 1)}`, "docker-upload-uuid": id, ...more },
    };
  }

  #find(seen: Seen, then: (id: string, upload: Upload) => Answer): Answer {
    const upload = this.open.get(seen.reference);
    if (!upload) return problem(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
    const stale = this.#options.sessions === "lost" && Number(seen.query.get("_state")) !== upload.size;
    // distribution 2.8: bytes that came after the Location was written make it worthless, and the session with it.
    if (stale) {
      this.open.delete(seen.reference);
      return problem(404, "BLOB_UPLOAD_INVALID", "blob upload invalid");
    }
    return then(seen.reference, upload);
  }

  /** 200 where the chunk is at the right place. */
  #placed(seen: Seen, size: number): Answer {
    const range = seen.headers["content-range"];
    if (range === undefined || this.#options.sessions === "lost") return { status: 200 };
    const first = /^(\d+)-\d+$/.exec(range)?.[1];
    if (Number(first) === size) return { status: 200 };
    const { headers = {} } = this.#accepted(seen.reference, 416);
    return { ...problem(416, "RANGE_INVALID", "invalid content range"), headers };
  }

  #finish(seen: Seen, { repository, bytes: pieces }: Upload): Answer {
    const bytes = Buffer.concat(pieces);
    if (digestOf(bytes) !== seen.query.get("digest"))
      return problem(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
    this.open.delete(seen.reference);
    return this.#store(repository, bytes);
  }

  #store(repository: string, bytes: Buffer): Answer {
    const digest = this.#storage.addBlob(repository, bytes);
    return {
      status: 201,
      headers: { "docker-content-digest": digest, location: `/v2/${repository}/blobs/${digest}` },
    };
  }
}
