import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createHttp } from "../../registry/http/http.ts";
import { download } from "../download.ts";
import type { InstallContext } from "../installation.ts";
import { pythonCredentials } from "./credentials.ts";
import { normalizeName } from "./marker.ts";

const PYPI = "https://pypi.org/simple/";
/** The largest page of a package on PyPI has some 10 MB. */
const PAGE_LIMIT = 32 * 1024 * 1024;

/** Deeper than any chain of included files. */
const MAX_INCLUDED = 20;

/**
 * Returns the first line of a requirements file, or of a file that it includes, that names a local
 * directory or archive.
 */
export function localRequirement(path: string, depth = 0): string | undefined {
  const lines = existsSync(path) ? readFileSync(path, "utf8").split(/\r?\n/) : [];
  for (const line of lines) {
    if (/^\s*(?:-e|--editable)[\s=]|^\s*(?:[\w.-]+\s*@\s*)?(?:file:|\.{1,2}(?:\/|\s*(?:$|[[;#])))/.test(line))
      return line.trim();
    const included = /^\s*(?:-r|--requirement)[\s=]+([^\s#]+)/.exec(line)?.[1];
    const inside =
      included !== undefined && depth < MAX_INCLUDED
        ? localRequirement(join(dirname(path), included), depth + 1)
        : undefined;
    if (inside !== undefined) return inside;
  }
  return undefined;
}

/** Returns the index of pip and uv: from the requirements, else the environment, else PyPI. */
export function indexOf(requirements: string, environment: InstallContext["environment"]): URL | undefined {
  const [, own] = /^\s*(?:-i|--index-url)[\s=]+(\S+)/m.exec(requirements) ?? [];
  const text =
    own ??
    environment["UV_DEFAULT_INDEX"] ??
    environment["UV_INDEX_URL"] ??
    environment["PIP_INDEX_URL"] ??
    PYPI;
  return URL.canParse(text) ? new URL(text.endsWith("/") ? text : `${text}/`) : undefined;
}

/**
 * Lists a package's files in an index (PEP 503) for a message. Empty if the request fails, because
 * it must not hide the error that is being reported.
 */
export async function filesInIndex(
  name: string,
  index: URL,
  context: InstallContext,
): Promise<readonly string[]> {
  const { environment, insecureRegistries, signal } = context;
  const http = createHttp({ environment, connections: 1, insecureRegistries });
  const authorizationFor = pythonCredentials(environment);
  const url = new URL(`${normalizeName(name)}/`, index);
  try {
    const wanted = {
      name,
      url,
      accept: "text/html",
      authorizationFor,
      limit: PAGE_LIMIT,
      attempts: 1,
      signal,
    };
    const page = await download(wanted, { http }, textOf);
    return [...page.matchAll(/<a\s[^>]*>\s*([^<\s]+\.(?:whl|tar\.gz|zip))\s*<\/a>/gi)].map(
      ([, file = ""]) => file,
    );
  } catch {
    signal.throwIfAborted();
    return [];
  } finally {
    http.close();
  }
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
