export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

export function ranged(bytes: Buffer, digest: string, range: string | undefined): Answer {
  const headers = {
    "content-type": "application/octet-stream",
    "docker-content-digest": digest,
    "accept-ranges": "bytes",
  };
  const match = /^bytes=(\d+)-(\d*)$/.exec(range ?? "");
  if (!match)
    return { status: 200, headers: { ...headers, "content-length": String(bytes.length) }, body: bytes };
  const first = Number(match[1]);
  const last = match[2] === "" ? bytes.length - 1 : Math.min(bytes.length - 1, Number(match[2]));
  if (first >= bytes.length) return { status: 416, headers: { "content-range": `bytes */${bytes.length}` } };
  const body = bytes.subarray(first, last + 1);
  return {
    status: 206,
    headers: {
      ...headers,
      "content-range": `bytes ${first}-${last}/${bytes.length}`,
      "content-length": String(body.length),
    },
    body,
  };
}

export function missingBlobs(digests: readonly string[]): Answer {
  const errors = digests.map((digest) => ({
    code: "MANIFEST_BLOB_UNKNOWN",
    message: "blob unknown to registry",
    detail: { digest },
  }));
  return json(400, { errors });
}

/** A refusal in the form of distribution-spec "Error Codes". */
export function problem(
  status: number,
  code: string,
  message = code.toLowerCase(),
): Answer & { readonly headers: Record<string, string>; readonly body: Buffer } {
  return json(status, { errors: [{ code, message }] });
}

export function json(status: number, value: unknown) {
  return {
    status,
    headers: { "content-type": "application/json" },
    body: Buffer.from(JSON.stringify(value)),
  };
}
