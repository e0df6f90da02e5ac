import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

import { basicAuthorization } from "../download.ts";

type Environment = Readonly<Record<string, string | undefined>>;

interface Login {
  readonly user: string;
  readonly password: string;
}

/**
 * Returns a function for the Authorization header of a package index, from the user's .netrc (or
 * NETRC), like pip and uv.
 */
export function pythonCredentials(environment: Environment): (url: URL) => string | undefined {
  const path = environment["NETRC"] ?? join(environment["HOME"] || homedir(), ".netrc");
  const logins = existsSync(path) ? parseNetrc(readFileSync(path, "utf8")) : new Map<string, Login>();
  return ({ protocol, hostname }) => {
    const login = logins.get(hostname);
    const isSafe = protocol === "https:" || hostname === "127.0.0.1" || hostname === "localhost";
    return login && isSafe ? basicAuthorization(login.user, login.password) : undefined;
  };
}

/**
 * Parses `machine NAME login USER password SECRET` (curl, "netrc"), without comments and macros.
 */
function parseNetrc(text: string): ReadonlyMap<string, Login> {
  const logins = new Map<string, Login>();
  const plain = text.replace(/^\s*#.*$/gm, "").replace(/^macdef[\s\S]*?\n\n/gm, "");
  for (const [, entry = ""] of plain.matchAll(/\bmachine\s+([\s\S]*?)(?=\bmachine\s|\bdefault\b|$)/g)) {
    const [host = "", ...words] = entry.trim().split(/\s+/);
    const after = (word: string) => words[words.indexOf(word) + 1] ?? "";
    if (words.includes("login"))
      logins.set(host, {
        user: after("login"),
        password: words.includes("password") ? after("password") : "",
      });
  }
  return logins;
}
