import { stat } from "node:fs/promises";
import { posix } from "node:path";
import { readFileFrom } from "../blobs/file-content.ts";
import { hasCode, LambdaPackError } from "../errors.ts";
import type { Content, Descriptor } from "../oci/content.ts";
import { DOCUMENT_LIMIT } from "../oci/json.ts";
import { type ArchiveMember, indexArchive, plainName } from "../tar/archive.ts";

/** A regular file within an archive. */
export type ArchivedFile = Extract<ArchiveMember, { kind: "file" }>;

export type Archive = Awaited<ReturnType<typeof openArchive>>;

/** A chain of more links than this is a loop. */
const MAX_LINKS = 16;

/**
 * Opens a tar archive, whose files are read in place, without unpacking.
 * @throws IMAGE_NOT_FOUND if there is no file, LAYOUT_INVALID if it is not an archive.
 */
export async function openArchive(path: string, signal?: AbortSignal) {
  await checkFile(path);
  const members = await indexArchive(path, signal);
  const find = (name: string): ArchivedFile | undefined => follow(members, name);
  const read = ({ offset, size }: ArchivedFile, from: number, inner?: AbortSignal) =>
    readFileFrom(path, offset + from, offset + size, inner);
  return {
    path,
    /** Returns the file of this name, following links; undefined: there is none. */
    find,
    read,
    /**
     * Reads all bytes of a small file.
     * @throws LAYOUT_INVALID when it is missing or larger than {@link DOCUMENT_LIMIT}.
     */
    async document(name: string): Promise<Uint8Array> {
      const file = find(name);
      if (!file) throw new LambdaPackError("LAYOUT_INVALID", `${path} has no file ${name}`);
      if (file.size > DOCUMENT_LIMIT) {
        throw new LambdaPackError("LAYOUT_INVALID", `${path}: ${name} has more than ${DOCUMENT_LIMIT} bytes`);
      }
      const chunks: Uint8Array[] = [];
      for await (const chunk of read(file, 0)) chunks.push(chunk);
      return Buffer.concat(chunks);
    },
    /** Returns a file as a content. Reading throws CONTENT_MISMATCH if it has another size. */
    content: (descriptor: Descriptor, file: ArchivedFile | undefined): Content => ({
      descriptor,
      async *read(from = 0, inner) {
        const { digest, size } = descriptor;
        if (file?.size !== size) throw notThere(path, digest, size, file);
        let position = from;
        for await (const chunk of read(file, from, inner)) {
          position += chunk.length;
          yield chunk;
        }
        if (position < size) throw notThere(path, digest, size, { ...file, size: position });
      },
    }),
  };
}

async function checkFile(path: string): Promise<void> {
  const found = await stat(path).catch((error) => {
    if (hasCode(error, "ENOENT", "ENOTDIR")) {
      throw new LambdaPackError("IMAGE_NOT_FOUND", `there is no archive ${path}`);
    }
    throw error;
  });
  if (found.isFile()) return;
  throw new LambdaPackError("LAYOUT_INVALID", `${path} is not a file`, {
    hint: `a layout directory is written oci:${path}`,
  });
}

/** Older Docker archives store a layer once and link to it (moby image/tarexport/save.go). */
function follow(members: ReadonlyMap<string, ArchiveMember>, name: string): ArchivedFile | undefined {
  let at = plainName(name);
  for (let links = 0; links < MAX_LINKS; links++) {
    const member = members.get(at);
    if (member === undefined || member.kind === "file") return member;
    at = plainName(member.kind === "hardlink" ? member.target : posix.join(posix.dirname(at), member.target));
  }
  return undefined;
}

function notThere(path: string, digest: string, size: number, file: { readonly size: number } | undefined) {
  const what = file ? `holds ${file.size} bytes` : "holds nothing";
  return new LambdaPackError("CONTENT_MISMATCH", `${digest}: ${path} ${what} instead of its ${size} bytes`, {
    hint: "the archive is damaged or not whole: make or copy it again",
  });
}
