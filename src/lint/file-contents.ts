import { BINARY_PARTS, type BinaryFacts, readBinary } from "../lambda/binary/binary.ts";
import { type FilePart, partOf } from "../lambda/binary/file-part.ts";
import { zipNames } from "../lambda/handler/zip-names.ts";
import { mayBeSecret } from "../lambda/secrets.ts";
import { taskRootOf } from "../lambda/task-root.ts";
import type { ImageConfig } from "../oci/image.ts";
import type { ImageVisitor } from "../rootfs/scan-image.ts";
import type { LayerEntry, Wanted } from "../tar/tar-walk.ts";
import { HighestLayerMap } from "./highest-layer.ts";

/** Source files larger than this are bundles; to look into them takes longer than it is worth. */
const MAX_TEXT = 4 * 1024 * 1024;
/** Of the sources that only serve to name the handler that was meant. */
const MAX_ASIDE = 256 * 1024;
/** Of all texts together. */
const MAX_TEXTS = 32 * 1024 * 1024;
/** More files of a kind tell no more of an image, and cost memory. */
const MAX_FILES = { texts: 2000, binaries: 20_000, jars: 2000, bytecode: 20_000 } as const;
/** The list of names is at the end of a zip; that of a large jar has 1 MB. */
const JAR_PART = 4 * 1024 * 1024;
const MAX_CLASSES = 200_000;
const FIRST_LINE = 256;

/** Loaded or started by name; what has another name is looked at where it may be executed. */
const BINARY_NAME = /\.(?:so(?:\.[\d.]+)?|node|dylib|pyd|dll|exe)$/;
/** Programs in wheels have no ending: `../../bin/ruff`, `playwright/driver/node`. */
const PROGRAM_NAME = /(?:^|\/)[^/.]+$/;
/** The system's own: only what starts others, and the C library, tell something of the image. */
const SYSTEM = /^(?:usr\/(?!local\/)|lib\/|lib64\/|bin\/|sbin\/|var\/lang\/|boot\/|proc\/|sys\/|dev\/)/;
const STARTERS =
  /^(?:(?:usr\/)?(?:local\/)?bin\/(?:sh|bash|dash|busybox|env|node|python[\d.]*|ruby|java|dotnet)|var\/lang\/bin\/[^/]+)$/;
const LIBC = /(?:^|\/)libc\.so\.6$/;
const SOURCE = /^(?:[^/]+\/)?[^/]+\.(?:py|[cm]?js|rb|json)$/;
const OS_RELEASE = ["etc/os-release", "usr/lib/os-release"];

/**
 * What rules need of the contents of files, taken while layers are read or from files on disk: texts of the entry point, the handler and their like, and
 * what binaries are made for. At most 32 MiB of text.
 */
export class FileContents implements ImageVisitor {
  readonly #texts = new HighestLayerMap<string>(MAX_FILES.texts);
  readonly #binaries = new HighestLayerMap<BinaryFacts>(MAX_FILES.binaries);
  readonly #classes = new HighestLayerMap<readonly string[]>(MAX_FILES.jars);
  readonly #exact: ReadonlySet<string>;
  /** The task root, with a slash at its end. */
  readonly #root: string;
  /** Of what is started: the others are not searched. */
  readonly #speakers = new HighestLayerMap<boolean | undefined>(MAX_FILES.texts);
  #textBytes = 0;
  #classCount = 0;
  /** .pyc files that hold the time of their source, and so change with every build. */
  readonly #timed = new HighestLayerMap<boolean>(MAX_FILES.bytecode);

  /** Whether .pyc files are looked into. */
  readonly #bytecode: boolean;

  /** `exact`: paths whose text is wanted whatever they are called. Only advice comes of `bytecode`, and there may be thousands of files. */
  constructor(settings: ImageConfig, exact: readonly string[], { bytecode = true } = {}) {
    this.#bytecode = bytecode;
    this.#root = `${taskRootOf(settings.config).split("/").filter(Boolean).join("/")}/`;
    this.#exact = new Set([...exact, ...OS_RELEASE]);
  }

  enter(entry: LayerEntry, path: string): Wanted | undefined {
    if (entry.kind !== "file") return undefined;
    if (this.#isBinary(path, entry.mode)) return BINARY_PARTS;
    if (path.endsWith(".jar")) return { head: 0, tail: JAR_PART };
    if (path.endsWith(".pyc")) return this.#bytecode && !this.#timed.isFull ? { head: 8 } : undefined;
    return this.#isText(path, entry.size) ? { head: MAX_TEXT } : undefined;
  }

  leave(path: string, layer: number, size: number, head: Buffer, tail: Buffer): void {
    this.take(path, layer, partOf(size, head, tail));
  }

  /** A file of which as much is at hand as `enter` asked for. */
  take(path: string, layer: number, file: FilePart): void {
    if (path.endsWith(".jar")) this.#takeJar(path, layer, zipNames(file));
    else if (path.endsWith(".pyc")) this.#timed.keep(path, layer, file.read(0, 8)?.readUInt32LE(4) === 0);
    else this.#takeText(path, layer, file);
  }

  /** The text of a file, where it was taken. */
  text(path: string): string | undefined {
    return this.#texts.get(path);
  }

  /** What Python packages say that they installed, by the path of the RECORD that says so. */
  *records(): Generator<readonly [path: string, text: string]> {
    for (const [path, text] of this.#texts) if (isRecord(path)) yield [path, text];
  }

  /** Whether the program or script names the variable that a runtime client needs. undefined where too little of it is at hand. */
  speaksRuntimeApi(path: string): boolean | undefined {
    return this.#speakers.get(path);
  }

  binary(path: string): BinaryFacts | undefined {
    return this.#binaries.get(path);
  }

  /** Also of files that a higher layer replaces with what is no binary: the layer tells. */
  binaries(): readonly (readonly [path: string, facts: BinaryFacts, layer: number])[] {
    return [...this.#binaries];
  }

  /** Names of the classes in the jars, as in the zip, by the path of the jar. Those of very many jars, and of damaged ones, are not there. */
  jars(): ReadonlyMap<string, readonly string[]> {
    return new Map([...this.#classes].map(([path, names]) => [path, names]));
  }

  /** Paths of .pyc files that hold the time of their source (PEP 552). */
  timedBytecode(): readonly string[] {
    return [...this.#timed].flatMap(([path, isTimed]) => (isTimed ? [path] : []));
  }

  #isBinary(path: string, mode: number): boolean {
    if (SYSTEM.test(path)) return STARTERS.test(path) || LIBC.test(path);
    if (this.#binaries.isFull) return this.#exact.has(path);
    return BINARY_NAME.test(path) || (mode & 0o111) !== 0 || this.#exact.has(path) || STARTERS.test(path);
  }

  #isText(path: string, size: number): boolean {
    if (size > MAX_TEXT || this.#textBytes > MAX_TEXTS) return false;
    if (this.#exact.has(path)) return true;
    if (this.#texts.isFull) return false;
    return mayBeSecret(path, size) || isRecord(path) || (size <= MAX_ASIDE && this.#isNearTop(path));
  }

  /** Whether it is a source file in the task root, or in a directory there. */
  #isNearTop(path: string): boolean {
    return path.startsWith(this.#root) && SOURCE.test(path.slice(this.#root.length));
  }

  /** Of one whose list cannot be read nothing is kept: it may have any class. */
  #takeJar(path: string, layer: number, names: readonly string[] | undefined): void {
    if (names === undefined) return;
    const classes = names.filter((name) => name.endsWith(".class") && !name.includes("$"));
    this.#classCount += classes.length;
    if (this.#classCount <= MAX_CLASSES) this.#classes.keep(path, layer, classes);
  }

  #takeText(path: string, layer: number, file: FilePart): void {
    if (this.#exact.has(path)) this.#speakers.keep(path, layer, speaks(file));
    const binary = readBinary(file);
    if (binary) this.#binaries.keep(path, layer, binary);
    else this.#keepText(path, layer, file);
  }

  /** Of a script that is only started, its first line is enough. */
  #keepText(path: string, layer: number, file: FilePart): void {
    const isText = this.#isText(path, file.size);
    const head = file.read(0, Math.min(file.size, isText ? MAX_TEXT : FIRST_LINE));
    const text = head && (isRecord(path) ? usefulLines(head) : head.toString());
    if (text === undefined || !(isText || text.startsWith("#!"))) return;
    this.#textBytes += text.length;
    this.#texts.keep(path, layer, text);
  }
}

/** Says what a Python package installed (packaging.python.org, "Recording installed projects"). */
function isRecord(path: string): boolean {
  return path.endsWith(".dist-info/RECORD");
}

/** Of what was installed only the paths that have a secret's name, or that of a library or a program. */
function usefulLines(record: Buffer): string {
  return record
    .toString()
    .split("\n")
    .map((line) => line.split(",", 1)[0] ?? "")
    .filter((path) => mayBeSecret(path, 0) || BINARY_NAME.test(path) || PROGRAM_NAME.test(path))
    .join("\n");
}

/** Of a binary larger than its parts that are at hand, only that it does is sure. */
function speaks({ size, read }: FilePart): boolean | undefined {
  const head = Math.min(size, BINARY_PARTS.head);
  const tail = Math.min(size - head, BINARY_PARTS.tail);
  if (read(0, head)?.includes(RUNTIME_API) || read(size - tail, tail)?.includes(RUNTIME_API)) return true;
  return head === size ? false : undefined;
}

const RUNTIME_API = "AWS_LAMBDA_RUNTIME_API";
