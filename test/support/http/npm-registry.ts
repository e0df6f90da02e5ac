import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { TestContext } from "node:test";
import { gzipSync } from "node:zlib";
import { type Header, pack } from "tar-stream";
import { serve } from "./serve.ts";

/** Contents by path below the package's directory, or entries as they are. */
export type Files = Readonly<Record<string, string | Uint8Array>>;

export interface RawEntry extends Partial<Header> {
  readonly name: string;
  readonly content?: string | Uint8Array;
}

/** The gzipped tar of a package, as npm publishes it. */
export async function packageTarball(files: Files | readonly RawEntry[]): Promise<Buffer> {
  const entries: readonly RawEntry[] = Array.isArray(files)
    ? files
    : Object.entries(files).map(([path, content]) => ({ name: `package/${path}`, content }));
  const tar = pack();
  for (const { content = "", ...header } of entries) tar.entry(header, Buffer.from(content));
  tar.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of tar) if (chunk instanceof Uint8Array) chunks.push(chunk);
  return gzipSync(Buffer.concat(chunks));
}

export function integrityOf(bytes: Uint8Array, algorithm = "sha512"): string {
  return `${algorithm}-${createHash(algorithm).update(bytes).digest("base64")}`;
}

export interface TestPackage {
  readonly name: string;
  readonly version: string;
  readonly tarball: Buffer;
}

export async function testPackage(name: string, version: string, files: Files = {}): Promise<TestPackage> {
  const manifest = JSON.stringify({ name, version });
  return { name, version, tarball: await packageTarball({ "package.json": manifest, ...files }) };
}

/** `/lodash/-/lodash-4.17.21.tgz`. */
export function tarballPath({ name, version }: TestPackage): string {
  return `/${name}/-/${name.slice(name.indexOf("/") + 1)}-${version}.tgz`;
}

/** What a lock says of a package beside what the test adds. */
export function lockedAs(one: TestPackage, more: object = {}): object {
  return { version: one.version, integrity: integrityOf(one.tarball), ...more };
}

/** Takes a request before the registry answers it; true: it did answer. */
export type Interceptor = (request: IncomingMessage, response: ServerResponse, count: number) => boolean;

export interface NpmRegistry {
  readonly url: URL;
  /** Of each request the path, and the Authorization where one was sent. */
  readonly requests: { readonly path: string; readonly authorization: string | undefined }[];
}

/** A package registry on 127.0.0.1 that has these packages and records what it is asked. */
export async function npmRegistry(
  t: TestContext,
  packages: readonly TestPackage[],
  intercept: Interceptor = () => false,
): Promise<NpmRegistry> {
  const requests: { path: string; authorization: string | undefined }[] = [];
  const tarballs = new Map(packages.map((one) => [tarballPath(one), one.tarball]));
  const url = await serve(t, (request, response) => {
    requests.push({ path: request.url ?? "", authorization: request.headers.authorization });
    if (intercept(request, response, requests.length)) return;
    const tarball = tarballs.get(request.url ?? "");
    response.writeHead(tarball ? 200 : 404).end(tarball ?? "no such package");
  });
  return { url, requests };
}
