import { BINARY_PARTS, type BinaryFacts, classVersion, readBinary } from "../../lambda/binary/binary.ts";
import { type FilePart, partOf } from "../../lambda/binary/file-part.ts";
import { readZipEntry, type ZipNames, zipNames } from "../../lambda/handler/zip-names.ts";
import { mayHoldSecret, secretIn } from "../../lambda/secrets/find.ts";
import type { ImageConfig } from "../../oci/image.ts";
import type { ImageVisitor } from "../../rootfs/scan-image.ts";
import type { LayerEntry, Wanted } from "../../tar/layer-entry.ts";
import { taskRoot } from "../facts.ts";
import { BYTECODE_HEADER, BytecodeTimes, HighestLayerMap } from "./by-layer.ts";
import {
  isBinaryName,
  isInstalledPath,
  isMetadata,
  isNearTop,
  isRecord,
  isStarter,
  isSystem,
  OS_RELEASE,
  usefulLines,
} from "./files-to-read.ts";

/** In bytes. Larger sources are bundles and take too long to read. */
const MAX_TEXT = 4 * 1024 * 1024;
/** In bytes, for package managers' files and for sources read only to suggest a handler. */
const MAX_ASIDE = 256 * 1024;
/** In bytes, for the sum of all texts that are kept. */
const MAX_TEXTS = 32 * 1024 * 1024;
/** In bytes, for the sum of all texts that are searched for secrets. */
const MAX_SEARCHED = 64 * 1024 * 1024;
/** Limits memory: this many files of each kind are enough for the rules. */
const MAX_FILES = { texts: 4000, binaries: 20_000, jars: 2000, secrets: 1000 } as const;
/** In bytes. The list of names is at the end of a zip; a large jar's takes 1 MB. */
const JAR_PART = 4 * 1024 * 1024;
const MAX_CLASSES = 200_000;
const FIRST_LINE = 256;
const CLASS_HEADER = 8;

/** What is read in addition to the texts and binaries that every check needs. */
export interface ContentOptions {
  /** Whether to read the mtimes in .pyc files, which only advice needs. Default true. */
  readonly bytecode?: boolean;
  /** Whether to search texts for secrets; a build has done so already. Default true. */
  readonly secrets?: boolean;
}

/**
 * Collects what rules need of file contents, from a layer scan or from disk: the texts of the entry
 * point, the handler and package managers' files, the platforms of binaries, and secrets. Keeps at
 * most 32 MiB of text.
 */
export class FileContents implements ImageVisitor {
  readonly texts = new HighestLayerMap<string>(MAX_FILES.texts);
  /** A higher layer may replace one of these with another file. */
  readonly binaries = new HighestLayerMap<BinaryFacts>(MAX_FILES.binaries);
  /** The class file names in each jar, as in the zip. Jars that could not be read are missing. */
  readonly jars = new HighestLayerMap<Exclude<ZipNames, undefined>>(MAX_FILES.jars);
  /** The kinds of secrets in files whose text was searched. */
  readonly secrets = new HighestLayerMap<string>(MAX_FILES.secrets);
  readonly bytecode = new BytecodeTimes();
  /**
   * Programs that are started, and whether they name AWS_LAMBDA_RUNTIME_API; undefined if only parts
   * of one were read.
   */
  readonly speakers = new HighestLayerMap<boolean | undefined>(MAX_FILES.texts);
  /** The Java version that the handler's class was compiled for, if the class was found. */
  handlerClassVersion: number | undefined;
  readonly #exact: ReadonlySet<string>;
  /** The task root, with a trailing slash. */
  readonly #root: string;
  /** The file of the handler's class, as a jar names it. */
  readonly #handlerClass: string;
  readonly #options: Required<ContentOptions>;
  #textBytes = 0;
  #searchedBytes = 0;
  #classCount = 0;

  /** `exact`: paths of files that are always read, whatever their names. */
  constructor(settings: ImageConfig, exact: readonly string[], options: ContentOptions = {}) {
    const { bytecode = true, secrets = true } = options;
    this.#options = { bytecode, secrets };
    this.#root = `${taskRoot({ settings })}/`;
    this.#exact = new Set([...exact, ...OS_RELEASE]);
    const handler = settings.config?.Cmd?.at(-1)?.slice(0, FIRST_LINE) ?? "";
    this.#handlerClass = `${handler.split("::", 1)[0]?.replaceAll(".", "/")}.class`;
  }

  /** `layer` matters only for the mtimes of bytecode. */
  enter(entry: LayerEntry, path: string, layer = 0): Wanted | undefined {
    if (entry.kind !== "file") return undefined;
    const isBytecode = this.#options.bytecode && this.bytecode.enter(path, layer, entry.mtime);
    if (this.#isBinary(path, entry.mode)) return BINARY_PARTS;
    if (path.endsWith(".jar")) return { head: entry.size <= JAR_PART ? entry.size : 0, tail: JAR_PART };
    if (isBytecode) return { head: BYTECODE_HEADER };
    return this.#isText(path, entry.size) || this.#isSearched(path, entry.size)
      ? { head: Math.min(entry.size, MAX_TEXT) }
      : undefined;
  }

  leave(path: string, layer: number, size: number, head: Buffer, tail: Buffer): void {
    this.take(path, layer, partOf(size, head, tail));
  }

  /** Records a file. The parts that `enter` asked for must be readable. */
  take(path: string, layer: number, file: FilePart): void {
    if (path.endsWith(".jar")) this.#takeJar(path, layer, file);
    else if (path.endsWith(".pyc")) this.bytecode.take(path, layer, file);
    else this.#takeFile(path, layer, file);
  }

  /** Yields the RECORD files of installed Python packages, with the lines that rules need. */
  *records(): Generator<readonly [path: string, text: string]> {
    for (const [path, text] of this.texts) if (isRecord(path)) yield [path, text];
  }

  #isBinary(path: string, mode: number): boolean {
    if (isSystem(path)) return isStarter(path);
    if (this.binaries.isFull) return this.#exact.has(path);
    return isBinaryName(path) || (mode & 0o111) !== 0 || this.#exact.has(path) || isStarter(path);
  }

  #isText(path: string, size: number): boolean {
    if (size > MAX_TEXT || this.#textBytes > MAX_TEXTS) return false;
    if (this.#exact.has(path)) return true;
    if (this.texts.isFull) return false;
    if (isRecord(path)) return true;
    return size <= MAX_ASIDE && (isMetadata(path) || isNearTop(path, this.#root));
  }

  #isSearched(path: string, size: number): boolean {
    return (
      this.#options.secrets &&
      this.#searchedBytes < MAX_SEARCHED &&
      (path.startsWith(this.#root) || HOMES.test(path)) &&
      !isInstalledPath(path) &&
      mayHoldSecret(path, size)
    );
  }

  #takeJar(path: string, layer: number, file: FilePart): void {
    const names = zipNames(file);
    if (names === "not a zip") this.jars.keep(path, layer, names);
    if (names === undefined || names === "not a zip") return;
    const classes = names.filter((name) => name.endsWith(".class") && !name.includes("$"));
    this.#classCount += classes.length;
    if (this.#classCount <= MAX_CLASSES) this.jars.keep(path, layer, classes);
    if (!names.includes(this.#handlerClass)) return;
    const header = readZipEntry(file, this.#handlerClass, CLASS_HEADER);
    if (header) this.handlerClassVersion = classVersion(header);
  }

  #takeFile(path: string, layer: number, file: FilePart): void {
    if (this.#exact.has(path)) this.speakers.keep(path, layer, speaks(file));
    const binary = readBinary(file);
    if (binary) this.binaries.keep(path, layer, binary);
    else if (path.endsWith(`/${this.#handlerClass}`)) this.#takeClass(file);
    else this.#takeText(path, layer, file);
  }

  #takeClass(file: FilePart): void {
    const header = file.read(0, CLASS_HEADER);
    if (header) this.handlerClassVersion = classVersion(header);
  }

  /** Keeps a text; of other scripts only the first line, which names the interpreter. */
  #takeText(path: string, layer: number, file: FilePart): void {
    const isText = this.#isText(path, file.size);
    const isSearched = this.#isSearched(path, file.size);
    const head = file.read(0, Math.min(file.size, isText || isSearched ? MAX_TEXT : FIRST_LINE));
    if (head === undefined) return;
    const text = isRecord(path) ? usefulLines(head.toString()) : decoded(head);
    if (isSearched) this.#search(path, layer, file.size, text);
    if (!isText && !text.startsWith("#!") && !text.startsWith("\uFEFF#!")) return;
    const kept = isText ? text : text.slice(0, FIRST_LINE);
    this.#textBytes += kept.length;
    this.texts.keep(path, layer, kept);
  }

  #search(path: string, layer: number, size: number, text: string): void {
    this.#searchedBytes += size;
    const what = secretIn(path, size, text);
    if (what !== undefined) this.secrets.keep(path, layer, what);
  }
}

/** Returns undefined if the variable is not in the parts read, and the rest may have it. */
function speaks({ size, read }: FilePart): boolean | undefined {
  const head = Math.min(size, BINARY_PARTS.head);
  const tail = Math.min(size - head, BINARY_PARTS.tail);
  if (read(0, head)?.includes(RUNTIME_API) || read(size - tail, tail)?.includes(RUNTIME_API)) return true;
  return head === size ? false : undefined;
}

/** Directories besides the task root in which images keep their own files. */
const HOMES = /^(?:var\/task|opt|root|home|app)\//;
const RUNTIME_API = "AWS_LAMBDA_RUNTIME_API";

/** Decodes UTF-16 too, which Windows PowerShell writes by default and pip reads. */
function decoded(bytes: Buffer): string {
  const isUtf16 = bytes[0] === 0xff && bytes[1] === 0xfe;
  return bytes.toString(isUtf16 ? "utf16le" : "utf8");
}
