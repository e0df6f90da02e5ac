import { isUtf8 } from "node:buffer";
import { LambdaPackError } from "../errors.ts";

/** Limits of the file systems that an image is unpacked on (Linux limits.h: NAME_MAX, PATH_MAX). */
const MAX_NAME = 255;
const MAX_PATH = 4096;

/** image-spec layer.md, "Whiteouts": such a name would delete files of the layers below. */
const WHITEOUT = ".wh.";

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f]/;

/** A file name from the system: text, or bytes if it may not be UTF-8. */
export type Name = string | Buffer;

/**
 * Returns the name of a file in `directory` of the source as text.
 * @throws FILE_NAME if it is not UTF-8, has a control character, or is a whiteout.
 */
export function parseName(name: Name, directory: string): string {
  const text = name.toString();
  if (typeof name !== "string" && !isUtf8(name))
    throw badName(escaped(name, directory), "its name is not UTF-8");
  if (CONTROL.test(text)) throw badName(inDirectory(directory, text), "its name has a control character");
  if (text.startsWith(WHITEOUT))
    throw badName(inDirectory(directory, text), `names that start with ${WHITEOUT} delete files in an image`);
  return text;
}

function inDirectory(directory: string, name: string): string {
  return directory === "" ? name : `${directory}/${name}`;
}

/** Returns the target of a link as text. @throws FILE_NAME, as {@link parseName}. */
export function parseLinkTarget(target: Buffer, path: string): string {
  const text = target.toString();
  if (!isUtf8(target)) throw badName(path, "what it links to is not UTF-8");
  if (CONTROL.test(text)) throw badName(path, "what it links to has a control character");
  return text;
}

/** @throws FILE_NAME if the path inside the image is longer than Linux can open. */
export function checkLength(path: string): void {
  if (path.length * 3 <= MAX_NAME) return;
  if (Buffer.byteLength(path) > MAX_PATH) throw badName(path, `its path has more than ${MAX_PATH} bytes`);
  const long = path.split("/").find((name) => Buffer.byteLength(name) > MAX_NAME);
  if (long !== undefined) throw badName(path, `a name in its path has more than ${MAX_NAME} bytes`);
}

/** Writes bytes that are not ASCII as `\xe9`, which terminals show and `printf` reads. */
function escaped(name: Buffer, directory: string): string {
  const text = Array.from(name, (byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`,
  );
  return directory === "" ? text.join("") : `${directory}/${text.join("")}`;
}

function badName(path: string, what: string): LambdaPackError {
  const shown = path.length > 300 ? `${path.slice(0, 300)}…` : path;
  return new LambdaPackError("FILE_NAME", `${quote(shown)} cannot be packed: ${what}`, {
    hint: "rename it, or name it or its directory in the ignore file",
  });
}

/** Writes control characters as JSON does; a backslash stays single. */
function quote(path: string): string {
  return JSON.stringify(path).replaceAll("\\\\", "\\");
}
