import { randomUUID } from "node:crypto";
import { type Answer, json, problem } from "./answer.ts";
import type { Seen } from "./request.ts";

export interface AuthOptions {
  /** Default anonymous. Basic takes `user` and `password`; token sends to `/token`, which takes them too and lets anybody pull. */
  readonly auth?: "anonymous" | "basic" | "token";
  readonly user?: string;
  readonly password?: string;
  /** Seconds a token lives. Default 300. */
  readonly tokenSeconds?: number;
}

/** Whom a registry lets in: the tokens that it gave, and its challenges. */
export class Tokens {
  readonly #given = new Map<string, { readonly scopes: string; readonly until: number }>();
  readonly #options: AuthOptions;
  readonly #hostOf: () => string;

  constructor(options: AuthOptions, hostOf: () => string) {
    this.#options = options;
    this.#hostOf = hostOf;
  }

  revoke(): void {
    this.#given.clear();
  }

  give(seen: Seen): Answer {
    const scopes = seen.query.getAll("scope").join(" ");
    const known = seen.headers.authorization === basic(this.#options);
    if (seen.headers.authorization !== undefined && !known)
      return problem(401, "UNAUTHORIZED", "incorrect username or password");
    const granted = known ? scopes : scopes.replace(/,push\b|:push\b/g, "");
    const token = randomUUID();
    const { tokenSeconds = 300 } = this.#options;
    this.#given.set(token, { scopes: granted, until: Date.now() + tokenSeconds * 1000 });
    return json(200, { token, expires_in: tokenSeconds, issued_at: new Date().toISOString() });
  }

  /** undefined: the request may go on. */
  refuse(seen: Seen): Answer | undefined {
    const { auth = "anonymous" } = this.#options;
    if (auth === "anonymous" || seen.kind === "token" || seen.kind === "redirected blob") return undefined;
    if (auth === "basic") {
      if (seen.headers.authorization === basic(this.#options)) return undefined;
      return challenge('Basic realm="test registry"');
    }
    const held = this.#given.get((seen.headers.authorization ?? "").replace(/^Bearer /, ""));
    const action = ["GET", "HEAD"].includes(seen.method) ? "pull" : "push";
    const scope = `repository:${seen.repository}:${action === "pull" ? "pull" : "pull,push"}`;
    const good =
      held !== undefined &&
      held.until > Date.now() &&
      (seen.kind === "ping" || grants(held.scopes, seen.repository, action));
    if (good) return undefined;
    const asked = seen.kind === "ping" ? "" : `,scope="${scope}"`;
    return challenge(`Bearer realm="http://${this.#hostOf()}/token",service="test registry"${asked}`);
  }
}

function grants(scopes: string, repository: string, action: string): boolean {
  return scopes.split(" ").some(
    (scope) =>
      scope.startsWith(`repository:${repository}:`) &&
      scope
        .slice(scope.lastIndexOf(":") + 1)
        .split(",")
        .includes(action),
  );
}

function basic({ user = "user", password = "password" }: AuthOptions): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

function challenge(header: string): Answer {
  const refused = problem(401, "UNAUTHORIZED", "authentication required");
  return { ...refused, headers: { ...refused.headers, "www-authenticate": header } };
}
