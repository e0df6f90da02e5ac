import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import type { IncomingMessage } from "node:http";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { inspect } from "node:util";
import { gzipSync } from "node:zlib";
import { derivedSignal } from "../../../../src/async/abortable.ts";
import type { BuildEvent } from "../../../../src/events.ts";
import { createHttp, type Http, type HttpBody, type Timeouts } from "../../../../src/registry/http/http.ts";
import { TIMEOUTS, timeoutsFor } from "../../../../src/registry/http/idle-timer.ts";
import { CertificateAuthority } from "../../../support/http/certificates.ts";
import { NOBODY_LISTENS, serve, serveTcp, serveTls } from "../../../support/http/serve.ts";

const MIB = 1024 * 1024;

function open(t: TestContext, timeouts: Partial<Timeouts> = {}, events: BuildEvent[] = []): Http {
  const http = createHttp({ environment: {}, timeouts, onEvent: (event) => events.push(event) });
  t.after(() => http.close());
  return http;
}

function withResolvers(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/** `size` bytes in pieces of 64 KiB. */
function bodyOf(size: number, more: Partial<HttpBody> = {}): HttpBody {
  return {
    length: size,
    async *read() {
      for (let left = size; left > 0; left -= 65536) yield Buffer.alloc(Math.min(left, 65536));
    },
    ...more,
  };
}

async function readAll(request: IncomingMessage): Promise<number> {
  let bytes = 0;
  for await (const chunk of request) bytes += chunk.length;
  return bytes;
}

describe("an HTTP exchange", () => {
  it("gives status, headers whatever their case, and the body", async (t) => {
    const url = await serve(t, (_, response) => response.writeHead(404, { "X-One": "1" }).end("gone"));
    const response = await open(t).send({ method: "GET", url });
    assert.equal(response.status, 404);
    assert.equal(response.header("x-ONE"), "1");
    assert.equal(response.header("x-two"), undefined);
    assert.equal(await response.text(100), "gone");
  });

  it("gives each line of a repeated header by itself", async (t) => {
    const url = await serve(t, (_, response) =>
      response.writeHead(401, { "WWW-Authenticate": ["Basic", "Bearer a=b"] }).end(),
    );
    const response = await open(t).send({ method: "GET", url });
    assert.deepEqual(response.headerLines("www-authenticate"), ["Basic", "Bearer a=b"]);
    response.discard();
  });

  for (const method of ["POST", "PUT", "PATCH"] as const) {
    it(`sends Content-Length with a ${method}, with and without a body, and never chunks`, async (t) => {
      const seen: unknown[] = [];
      const url = await serve(t, async (request, response) => {
        seen.push([
          await readAll(request),
          request.headers["content-length"],
          request.headers["transfer-encoding"],
        ]);
        response.end();
      });
      const http = open(t);
      (await http.send({ method, url })).discard();
      (await http.send({ method, url, body: bodyOf(3 * MIB + 1) })).discard();
      assert.deepEqual(seen, [
        [0, "0", undefined],
        [3 * MIB + 1, String(3 * MIB + 1), undefined],
      ]);
    });
  }

  it("sends no Content-Length with a GET or a HEAD", async (t) => {
    const seen: unknown[] = [];
    const url = await serve(t, (request, response) => {
      seen.push(request.headers["content-length"]);
      response.end();
    });
    const http = open(t);
    for (const method of ["GET", "HEAD"] as const) (await http.send({ method, url })).discard();
    assert.deepEqual(seen, [undefined, undefined]);
  });

  it("tells how many bytes were sent, up to the last", async (t) => {
    const url = await serve(t, async (request, response) => response.end(String(await readAll(request))));
    const sent: number[] = [];
    const body = bodyOf(2 * MIB, { onSent: (bytes) => sent.push(bytes) });
    (await open(t).send({ method: "PUT", url, body })).discard();
    assert.deepEqual(
      [...sent].sort((a, b) => a - b),
      sent,
    );
    assert.equal(sent.at(-1), 2 * MIB);
  });

  it("leaves a redirect to the caller", async (t) => {
    const url = await serve(t, (_, response) => response.writeHead(307, { location: "/elsewhere" }).end());
    const response = await open(t).send({ method: "PUT", url, body: bodyOf(10) });
    assert.equal(response.status, 307);
    assert.equal(response.header("location"), "/elsewhere");
    response.discard();
  });

  it("asks for bytes as they are, and leaves compressed ones alone", async (t) => {
    const packed = gzipSync("layer");
    const url = await serve(t, (request, response) => {
      assert.equal(request.headers["accept-encoding"], "identity");
      response.writeHead(200, { "content-encoding": "gzip" }).end(packed);
    });
    assert.deepEqual(Buffer.from(await (await open(t).send({ method: "GET", url })).bytes(1000)), packed);
  });

  it("uses one connection for requests that follow each other, whatever became of their bodies", async (t) => {
    const ports = new Set<number | undefined>();
    const url = await serve(t, (request, response) => {
      ports.add(request.socket.remotePort);
      if (request.url === "/204") response.writeHead(204).end();
      else response.writeHead(200, { "content-length": 4 }).end("text");
    });
    const http = open(t);
    await (await http.send({ method: "GET", url })).text(10);
    await http.send({ method: "HEAD", url });
    await delay(20);
    await http.send({ method: "DELETE", url: new URL("/204", url) });
    await delay(20);
    (await http.send({ method: "GET", url })).discard();
    await delay(20);
    await (await http.send({ method: "GET", url })).text(10);
    assert.equal(ports.size, 1);
  });

  it("opens no more connections than it was given, and the others wait without being taken for silent", async (t) => {
    const ports = new Set<number | undefined>();
    const url = await serve(t, async (request, response) => {
      ports.add(request.socket.remotePort);
      await delay(600);
      response.end("x");
    });
    // Four rounds of two take longer than an answer may.
    const timeouts = { connectMs: 1500, answerMs: 1500, stallMs: 1500 };
    const http = createHttp({ environment: {}, connections: 2, timeouts });
    t.after(() => http.close());
    const texts = Array.from({ length: 8 }, async () => (await http.send({ method: "GET", url })).text(10));
    assert.equal((await Promise.all(texts)).join(""), "xxxxxxxx");
    assert.equal(ports.size, 2);
  });
});

describe("an answer that comes before the body is sent", () => {
  it("leaves no timer, though the body is read to its end later", { timeout: 60_000 }, async (t) => {
    const url = await serve(t, (_, response) => response.writeHead(403).end());
    const { promise: answered, resolve } = withResolvers();
    const read = withResolvers();
    const body: HttpBody = {
      length: 4,
      async *read() {
        yield Buffer.alloc(4);
        await answered;
        read.resolve();
      },
    };
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
    const before = timers();
    const http = open(t);
    const response = await http.send({ method: "PUT", url, body });
    assert.equal(response.status, 403);
    response.discard();
    resolve();
    await read.promise;
    http.close();
    while (timers() > before) await delay(10);
  });

  it("an answer that comes before the body is sent is the answer when it refuses and closes", async (t) => {
    const url = await serve(t, (_, response) =>
      response
        .writeHead(401, { connection: "close", "www-authenticate": "Basic realm=x" })
        .end("who are you"),
    );
    const http = open(t);
    for (let round = 0; round < 10; round++) {
      const response = await http.send({ method: "PUT", url, body: bodyOf(20 * MIB) });
      assert.equal(response.status, 401);
      assert.equal(response.header("www-authenticate"), "Basic realm=x");
      assert.equal(await response.text(100), "who are you");
    }
  });

  it("ends the sending when it refuses and reads no further", async (t) => {
    const url = await serve(t, (_, response) => response.writeHead(413).end("too large"));
    let ended = false;
    const body = bodyOf(0, {
      length: 500 * MIB,
      async *read() {
        try {
          for (let left = 500; left > 0; left--) yield Buffer.alloc(MIB);
        } finally {
          ended = true;
        }
      },
    });
    const response = await open(t, { stallMs: 2000 }).send({ method: "PATCH", url, body });
    assert.equal(response.status, 413);
    assert.equal(await response.text(100), "too large");
    while (!ended) await delay(10); // Nothing else would end it: the peer reads no further.
  });

  it("counts as success only when all is sent", async (t) => {
    const url = await serve(t, async (request, response) => {
      response.writeHead(201).end();
      await delay(50);
      request.resume();
    });
    let sent = 0;
    const body = bodyOf(16 * MIB, {
      onSent: (bytes) => {
        sent = bytes;
      },
    });
    const response = await open(t).send({ method: "PUT", url, body });
    assert.equal(response.status, 201);
    assert.equal(sent, 16 * MIB);
    response.discard();
  });
});

describe("a peer that fails", () => {
  it("by closing gives the system's own code", async (t) => {
    const url = await serveTcp(t, (socket) => socket.once("data", () => socket.resetAndDestroy()));
    await assert.rejects(open(t).send({ method: "GET", url }), { code: "ECONNRESET" });
  });

  it("by closing in the middle of our body gives ECONNRESET or EPIPE", async (t) => {
    const url = await serveTcp(t, (socket) => socket.once("data", () => socket.resetAndDestroy()));
    const sent = open(t).send({ method: "PUT", url, body: bodyOf(20 * MIB) });
    await assert.rejects(sent, (error: NodeJS.ErrnoException) =>
      /^(ECONNRESET|EPIPE)$/.test(error.code ?? ""),
    );
  });

  it("by cutting its answer short gives ECONNRESET, not a short answer", async (t) => {
    const url = await serveTcp(t, (socket) =>
      socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")),
    );
    const response = await open(t).send({ method: "GET", url });
    await assert.rejects(response.text(1000), { code: "ECONNRESET" });
  });

  it("by not being there gives ECONNREFUSED", async (t) => {
    const url = NOBODY_LISTENS;
    await assert.rejects(open(t).send({ method: "GET", url }), { code: "ECONNREFUSED" });
  });

  it("by never answering ends with ETIMEDOUT", async (t) => {
    const url = await serve(t, () => {});
    const asked = open(t, { answerMs: 100 }).send({ method: "GET", url });
    await assert.rejects(asked, { code: "ETIMEDOUT", message: `${url.host} gave no answer within 0.1 s` });
  });

  it("by never answering after our body ends with ETIMEDOUT", async (t) => {
    const url = await serve(t, (request) => void request.resume());
    const asked = open(t, { answerMs: 100 }).send({ method: "PUT", url, body: bodyOf(MIB) });
    await assert.rejects(asked, { code: "ETIMEDOUT" });
  });

  it("by dribbling header bytes ends with ETIMEDOUT all the same", async (t) => {
    const url = await serveTcp(t, (socket) => {
      const timer = setInterval(() => socket.write("H"), 20);
      socket.on("close", () => clearInterval(timer));
      socket.write("HTTP/1.1 200 OK\r\n");
    });
    await assert.rejects(open(t, { answerMs: 150 }).send({ method: "GET", url }), { code: "ETIMEDOUT" });
  });

  it("by falling silent in its answer ends with ETIMEDOUT", async (t) => {
    const url = await serve(t, (_, response) => void response.writeHead(200).write("half"));
    const response = await open(t, { stallMs: 100 }).send({ method: "GET", url });
    await assert.rejects(response.text(1000), { code: "ETIMEDOUT" });
  });

  it("by reading nothing of our body ends with ETIMEDOUT", async (t) => {
    const url = await serveTcp(t, (socket) => socket.pause());
    const sent = open(t, { stallMs: 150 }).send({ method: "PUT", url, body: bodyOf(64 * MIB) });
    await assert.rejects(sent, { code: "ETIMEDOUT" });
  });

  it("by reading no more of our body is given up in its time, not in twice that", {
    timeout: 22_000,
  }, async (t) => {
    const url = await serveTcp(t, (socket) => socket.pause());
    const sent = open(t, { stallMs: 12_000 }).send({ method: "PUT", url, body: bodyOf(64 * MIB) });
    await assert.rejects(sent, { code: "ETIMEDOUT" });
  });

  it("by never finishing the TLS handshake ends with ETIMEDOUT", async (t) => {
    const url = await serveTcp(t, () => {}, "https:");
    const asked = open(t, { connectMs: 100 }).send({ method: "GET", url });
    await assert.rejects(asked, { code: "ETIMEDOUT", message: `no connection to ${url.host} within 0.1 s` });
  });
});

describe("the time that a registry has", () => {
  it("the time that a registry has is minutes, and --timeout changes all of it but the long wait for what it stores", () => {
    assert.deepEqual(timeoutsFor(120_000), TIMEOUTS);
    assert.deepEqual([TIMEOUTS.answerMs, TIMEOUTS.commitMs], [120_000, 600_000]);
    const { answerMs, stallMs, commitMs } = timeoutsFor(5000);
    assert.deepEqual([answerMs, stallMs, commitMs], [5000, 5000, 600_000]);
    assert.equal(timeoutsFor(900_000).commitMs, 900_000);
    // A connection needs no longer than a minute, however patient the user is.
    assert.deepEqual([timeoutsFor(5000).connectMs, timeoutsFor(900_000).connectMs], [10_000, 60_000]);
  });

  it("the time that a registry has is longer for a request that it processes before it answers", async (t) => {
    let answer = () => {};
    const url = await serve(t, (request, response) => {
      answer = () => response.writeHead(201).end();
      request.resume();
    });
    // Answered by what only comes after the other limit has passed.
    const http = createHttp({
      environment: {},
      timeouts: { answerMs: 50, commitMs: 100_000, noticeMs: 150 },
      onEvent: (event) => event.type === "waiting" && answer(),
    });
    t.after(() => http.close());
    const response = await http.send({ method: "PUT", url, body: bodyOf(10), commits: true });
    assert.equal(response.status, 201);
    response.discard();
  });
});

describe("a server's silence", () => {
  type Waiting = Extract<BuildEvent, { type: "waiting" }>;

  /** A client that calls `onNotice` at each notice, which come every 50 ms. */
  function listening(t: TestContext, onNotice: (notices: readonly Waiting[]) => void): Http {
    const notices: Waiting[] = [];
    const http = createHttp({
      environment: {},
      timeouts: { noticeMs: 50, answerMs: 100_000, stallMs: 100_000 },
      onEvent: (event) => {
        if (event.type !== "waiting") return;
        notices.push(event);
        onNotice([...notices]);
      },
    });
    t.after(() => http.close());
    return http;
  }

  it("a server's silence is told again and again before the answer, with how long it is still waited for", async (t) => {
    let answer = () => {};
    const url = await serve(t, (_, response) => {
      answer = () => response.end("at last");
    });
    let told: readonly Waiting[] = [];
    const http = listening(t, (notices) => {
      told = notices;
      if (notices.length === 2) answer();
    });
    const response = await http.send({ method: "GET", url });
    assert.equal(await response.text(100), "at last");
    const what = `${url.host} gave no answer`;
    assert.deepEqual(told.slice(0, 2), [
      { type: "waiting", what, silentMs: 50, leftMs: 99_950 },
      { type: "waiting", what, silentMs: 100, leftMs: 99_900 },
    ]);
  });

  it("a server's silence is told within an answer", async (t) => {
    let end = () => {};
    const url = await serve(t, (_, response) => {
      response.writeHead(200).write("half");
      end = () => response.end(" and half");
    });
    const told: string[] = [];
    const http = listening(t, (notices) => {
      told.push(...notices.map(({ what }) => what));
      end();
    });
    const response = await http.send({ method: "GET", url });
    assert.equal(await response.text(100), "half and half");
    assert.equal(told[0], `no more bytes came from ${url.host}`);
  });
});

describe("our own slowness", () => {
  it("in reading an answer is not silence of the peer", async (t) => {
    const url = await serve(t, (_, response) => response.end(Buffer.alloc(8 * MIB)));
    const response = await open(t, { stallMs: 1000 }).send({ method: "GET", url });
    let received = 0;
    for await (const chunk of response.body) {
      if (received === 0) await delay(1300);
      received += chunk.length;
    }
    assert.equal(received, 8 * MIB);
  });

  it("in making a body is not silence of the peer", async (t) => {
    const url = await serve(t, async (request, response) => response.end(String(await readAll(request))));
    const body = bodyOf(2 * MIB, {
      async *read() {
        yield Buffer.alloc(MIB);
        await delay(1300);
        yield Buffer.alloc(MIB);
      },
    });
    const response = await open(t, { stallMs: 1000 }).send({ method: "PUT", url, body });
    assert.equal(await response.text(100), String(2 * MIB));
  });
});

describe("an abort", () => {
  it("before the start sends nothing", async (t) => {
    let asked = 0;
    const url = await serve(t, () => {
      asked += 1;
    });
    const signal = AbortSignal.abort(new Error("no more"));
    await assert.rejects(open(t).send({ method: "GET", url, signal }), { message: "no more" });
    assert.equal(asked, 0);
  });

  it("while the answer is awaited ends with its reason", async (t) => {
    const url = await serve(t, () => {});
    const signal = AbortSignal.timeout(50);
    await assert.rejects(open(t).send({ method: "GET", url, signal }), { name: "TimeoutError" });
  });

  it("while the body is sent ends with its reason and closes what was read", async (t) => {
    const url = await serveTcp(t, (socket) => socket.pause());
    const controller = new AbortController();
    let ended = false;
    const body = bodyOf(0, {
      length: 900 * MIB,
      async *read() {
        try {
          for (;;) yield Buffer.alloc(MIB);
        } finally {
          ended = true;
        }
      },
    });
    setTimeout(() => controller.abort(new Error("stop")), 50);
    await assert.rejects(open(t).send({ method: "PUT", url, body, signal: controller.signal }), {
      message: "stop",
    });
    while (!ended) await delay(10);
  });

  it("while an answer is read ends with its reason", async (t) => {
    const url = await serve(t, (_, response) => void response.writeHead(200).write("half"));
    const controller = new AbortController();
    const response = await open(t).send({ method: "GET", url, signal: controller.signal });
    setTimeout(() => controller.abort(new Error("stop")), 20);
    await assert.rejects(response.text(100), { message: "stop" });
  });
});

describe("one signal for many requests", () => {
  it("one signal for many requests is listened to by each, and by none when all is done", async (t) => {
    const warnings: Error[] = [];
    const warned = (warning: Error): void => void warnings.push(warning);
    process.on("warning", warned);
    t.after(() => process.off("warning", warned));
    const url = await serve(t, (_, response) => response.end("x"));
    const http = open(t);
    const signal = derivedSignal(new AbortController().signal);
    await Promise.all(
      Array.from({ length: 40 }, async () => (await http.send({ method: "GET", url, signal })).text(10)),
    );
    await delay(20);
    assert.deepEqual(getEventListeners(signal, "abort"), []);
    assert.deepEqual(warnings, []);
  });
});

describe("a limit", () => {
  it("stops an answer that is longer, and its connection", async (t) => {
    let closed = false;
    const url = await serve(t, (_, response) => {
      response.on("close", () => {
        closed = true;
      });
      const more = (error?: Error | null) => {
        if (!error) response.write(Buffer.alloc(65536), more);
      };
      more();
    });
    const response = await open(t).send({ method: "GET", url });
    await assert.rejects(response.text(100_000), { code: "REGISTRY_ANSWER" });
    await delay(50);
    assert.equal(closed, true);
  });
});

describe("a body that is not what it said", () => {
  for (const [what, length] of [
    ["shorter", 2 * MIB],
    ["longer", 100],
  ] as const) {
    it(`fails when it is ${what}`, async (t) => {
      const url = await serve(t, (request) => void request.resume());
      const body = { ...bodyOf(MIB), length };
      await assert.rejects(open(t).send({ method: "PUT", url, body }), { code: "CONTENT_MISMATCH" });
    });
  }

  it("fails with the source's own error", async (t) => {
    const url = await serve(t, (request) => void request.resume());
    const body = bodyOf(MIB, {
      async *read() {
        yield Buffer.alloc(1000);
        throw Object.assign(new Error("disk gone"), { code: "EIO" });
      },
    });
    await assert.rejects(open(t).send({ method: "PUT", url, body }), { code: "EIO", message: "disk gone" });
  });
});

describe("TLS", () => {
  it("of an unknown authority is refused, with the way out", async (t) => {
    const authority = new CertificateAuthority();
    t.after(() => authority.remove());
    const url = await serveTls(t, authority.leaf("127.0.0.1"), (_, response) => response.end());
    await assert.rejects(open(t).send({ method: "GET", url }), (error: Error & { hint?: string }) => {
      assert.match(inspect(error), /REGISTRY_UNREACHABLE/);
      assert.match(error.hint ?? "", /NODE_EXTRA_CA_CERTS/);
      return true;
    });
  });

  it("asked of a server that speaks http is told apart", async (t) => {
    const url = await serve(t, (_, response) => response.end());
    url.protocol = "https:";
    const asked = open(t).send({ method: "GET", url: new URL(url.href.replace("http:", "https:")) });
    await assert.rejects(asked, {
      code: "REGISTRY_UNREACHABLE",
      hint: /--insecure-registry 127\.0\.0\.1:\d+/,
    });
  });
});

describe("http without TLS", () => {
  it("http without TLS is not spoken to a host that nobody named", async (t) => {
    const asked = open(t).send({ method: "GET", url: new URL("http://registry.example.com/v2/") });
    await assert.rejects(asked, {
      code: "REGISTRY_UNREACHABLE",
      hint: /--insecure-registry registry\.example\.com/,
    });
  });
});

describe("secrets", () => {
  const canary = "c4nary-s3cret";

  it("secrets are in no event and no error", async (t) => {
    const events: BuildEvent[] = [];
    const url = await serveTcp(t, (socket) => socket.once("data", () => socket.resetAndDestroy()));
    url.search = `?X-Amz-Signature=${canary}&_state=${canary}`;
    const headers = { authorization: `Basic ${canary}` };
    const error = await open(t, {}, events)
      .send({ method: "GET", url, headers })
      .catch((reason: unknown) => reason);
    const shown = inspect([events, error], { depth: 20, showHidden: true });
    assert.match(shown, /ECONNRESET/);
    assert.ok(!shown.includes(canary), shown);
  });
});

describe("every exchange", () => {
  it("every exchange is told as an event, with status 0 if no answer came", async (t) => {
    const events: BuildEvent[] = [];
    const url = await serve(t, (request, response) => {
      if (request.url === "/cut") request.socket.destroy();
      else response.writeHead(202).end();
    });
    const http = open(t, {}, events);
    (await http.send({ method: "POST", url: new URL("/up?digest=x", url) })).discard();
    await http.send({ method: "GET", url: new URL("/cut", url) }).catch(() => {});
    const told = events.map((event) => event.type === "request" && [event.method, event.url, event.status]);
    assert.deepEqual(told, [
      ["POST", `${url.origin}/up?digest=redacted`, 202],
      ["GET", `${url.origin}/cut`, 0],
    ]);
  });
});
